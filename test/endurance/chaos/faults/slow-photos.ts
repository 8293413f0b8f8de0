import pidusage from "pidusage";
import { withinTime } from "../../../../scripts/within-time.ts";
import { slowImage, variantOf } from "../../../fixtures/slow-images.ts";
import { descendantsOf } from "../../../support/process-table.ts";
import { judgeReply } from "../../load/judge-reply.ts";
import type { Fault, Scene } from "../fault.ts";
import type { LoadedRequest } from "../steady-load.ts";
import { shortened } from "../test-deployment.ts";

const quietSeconds = 8;
const attackSeconds = 25;
/** What a public caller may send by default. */
const attacksPerSecond = 1;
/** 49 megapixels, just below what an AVIF may have. */
const side = 7000;
const mostTimesQuiet = 3;
/** Of the service with its children: one such photo at a time, beside what they need anyway. */
const mostMemoryMiB = 2000;

/** Large photos of small files, one after the other and no two the same, from one caller within the rate limit. */
export const slowPhotos: Fault = {
  name: "slow-photos",
  about: `${attackSeconds} s of one photo per second that takes two seconds to decode, AVIF and interlaced PNG of 49 megapixels`,
  promise: `other photos pass them: none is refused, and their median stays within ${mostTimesQuiet} times the quiet one`,
  mayRefuse: [],
  recoverySeconds: 5,
  async run(scene) {
    const photos = await Promise.all([slowImage("avif", side), slowImage("png", side)]);
    const quietFromMs = performance.now();
    await scene.hold(quietSeconds);
    const quietMs = medianOf(scene.requests, quietFromMs);
    const { codes, untilMs, memoryMiB } = await attack(scene, photos);
    const attackedMs = medianOf(scene.requests, untilMs - attackSeconds * 1000);
    scene.mended();
    scene.note(
      `median of new photos ${quietMs.toFixed(0)} ms when quiet, ${attackedMs.toFixed(0)} ms under attack; the attacker got ${codes}; the service took ${memoryMiB.toFixed(0)} MiB at most`,
    );
    scene.expect(
      attackedMs <= mostTimesQuiet * quietMs,
      `the median stays within ${mostTimesQuiet} times the quiet one`,
    );
    scene.expect(memoryMiB <= mostMemoryMiB, `the service stays below ${mostMemoryMiB} MiB`);
    scene.expect(
      (await scene.deployment.metric('edge_caption_admitted_requests{priority="interactive"}')) < 10,
      "nothing piles up",
    );
  },
};

async function attack(scene: Scene, photos: readonly Uint8Array[]) {
  const { deployment, hold } = scene;
  const outcomes: Promise<string>[] = [];
  let memoryMiB = 0;
  for (let sent = 0; sent < attackSeconds * attacksPerSecond; sent++) {
    const photo = photos[sent % photos.length];
    if (photo === undefined) throw new Error("expected a photo to attack with");
    outcomes.push(upload(deployment.edge, variantOf(photo, sent)));
    await hold(1 / attacksPerSecond);
    memoryMiB = Math.max(memoryMiB, await residentMiB(deployment.service.kept.pid));
  }
  const untilMs = performance.now();
  const counts: Record<string, number> = {};
  for (const outcome of await Promise.all(outcomes)) counts[outcome] = (counts[outcome] ?? 0) + 1;
  const codes = Object.entries(counts)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(", ");
  return { codes, untilMs, memoryMiB };
}

/** Of a process and all that it has started. */
async function residentMiB(pid: number): Promise<number> {
  const usages = await pidusage([pid, ...descendantsOf(pid)]);
  return Object.values(usages).reduce((sum, usage) => sum + (usage?.memory ?? 0), 0) / 2 ** 20;
}

async function upload(edge: string, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const post = async (signal: AbortSignal) => {
    const response = await fetch(`${edge}/v1/captions`, { method: "POST", body, signal });
    const { status, headers } = response;
    const verdict = judgeReply({ status, headers, text: await response.text() }, { id: undefined });
    return verdict.kind === "refused" ? verdict.code : verdict.kind;
  };
  return withinTime({ ms: 2 * shortened.captionMs, signal: new AbortController().signal }, post).catch(() => "lost");
}

/** Milliseconds of the new photos that were sent since. */
function medianOf(requests: readonly LoadedRequest[], sinceMs: number): number {
  const times = requests
    .filter(({ kind, begunMs }) => kind === "new" && begunMs >= sinceMs)
    .map(({ begunMs, endedMs }) => endedMs - begunMs)
    .toSorted((one, other) => one - other);
  return times[Math.floor(times.length / 2)] ?? Number.NaN;
}
