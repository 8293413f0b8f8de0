import { availableParallelism, cpus } from "node:os";
import pMap from "p-map";
import pidusage from "pidusage";
import type { Bundle } from "../captioner/bundle.ts";
import { decodeImage } from "../captioner/images/decode-image.ts";
import { defaultMaxPixels } from "../shared/contract.ts";
import { descendantsOf } from "../test/support/process-table.ts";
import { type BenchResult, median } from "./bench.ts";

/** From this share of the cores on, a figure says what other programs took of them. */
const noticeableShare = 0.05;

interface Saturation {
  rounds: number;
  /** The process whose time counts, with those that it has started. */
  pid: number;
  /** Handles `photos`, which are `files` over and over, with more at once than the engine takes. */
  work(): Promise<unknown>;
  photos: number;
  files: readonly Uint8Array[];
  bundle: Bundle;
  /** CPU seconds that the engine has spent in its networks so far. */
  engineSeconds(): number | Promise<number>;
}

/**
 * Measures the share of the cores' time that goes into decoding and the engine, of what the measured processes take and leave
 * idle. The engine counts its own time; decoding counts with what it takes alone, in turns with the work. Time of the client
 * and of other programs counts nowhere. Medians over the rounds, after one that is not counted.
 */
export async function measureCoreShare(saturation: Saturation): Promise<BenchResult> {
  const { rounds, pid, work, photos, files, engineSeconds } = saturation;
  const settings = { preprocessing: saturation.bundle.manifest.preprocessing, maxPixels: defaultMaxPixels };
  const decoding = () => pMap(files, (bytes) => decodeImage(bytes, settings), { concurrency: availableParallelism() });
  const seen: Record<"share" | "engineMs" | "decodeMs" | "coreMs" | "perSecond" | "others", number>[] = [];
  for (let round = -1; round < rounds; round++) {
    const decodeMs = (await timeCores(process.pid, decoding)).busyMs / files.length;
    const engineBefore = await engineSeconds();
    const { wallMs, busyMs, idleMs, others } = await timeCores(pid, work);
    const engineMs = (((await engineSeconds()) - engineBefore) * 1000) / photos;
    const coreMs = (busyMs + idleMs) / photos;
    const share = (engineMs + decodeMs) / coreMs;
    if (round >= 0) seen.push({ share, engineMs, decodeMs, coreMs, perSecond: (photos * 1000) / wallMs, others });
  }
  const medianOf = (name: keyof (typeof seen)[number]) => median(seen.map((round) => round[name]));
  const text = (name: "engineMs" | "decodeMs" | "coreMs" | "perSecond") => medianOf(name).toFixed(1);
  const others = medianOf("others");
  const beside = others < noticeableShare ? "" : `, other programs on ${(100 * others).toFixed(0)} % of the cores`;
  return {
    number: medianOf("share"),
    ours: `${text("perSecond")} photos a second, engine ${text("engineMs")} and decoding ${text("decodeMs")} core-ms each`,
    peer: `${text("coreMs")} core-ms each${beside}`,
  };
}

/** What became of the cores' time during some work. */
interface CoreTime {
  wallMs: number;
  /** Taken by a process and those that it has started. */
  busyMs: number;
  /** In which a core had no work from anybody. */
  idleMs: number;
  /** Share of the cores' time that is neither of these nor this process's. */
  others: number;
}

async function timeCores(pid: number, work: () => Promise<unknown>): Promise<CoreTime> {
  const before = await readClocks(pid);
  await work();
  const after = await readClocks(pid);
  const wallMs = after.wallMs - before.wallMs;
  const wholeMs = wallMs * availableParallelism();
  const busyMs = after.busyMs - before.busyMs;
  const clientMs = pid === process.pid ? 0 : after.clientMs - before.clientMs;
  const restMs = Math.max(0, wholeMs - busyMs - clientMs);
  const idleMs = Math.min(restMs, after.idleMs - before.idleMs); // a container may have fewer cores than its host
  return { wallMs, busyMs, idleMs, others: (restMs - idleMs) / wholeMs };
}

async function readClocks(pid: number): Promise<Record<"wallMs" | "busyMs" | "idleMs" | "clientMs", number>> {
  const usages = await pidusage([pid, ...descendantsOf(pid)]);
  const { user, system } = process.cpuUsage();
  return {
    wallMs: performance.now(),
    busyMs: Object.values(usages).reduce((sum, { ctime }) => sum + ctime, 0),
    idleMs: cpus().reduce((sum, { times }) => sum + times.idle, 0),
    clientMs: (user + system) / 1000,
  };
}
