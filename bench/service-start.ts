import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, type BenchResult, median } from "./bench.ts";
import { startService } from "./running-service.ts";

const rounds = 3;

export const serviceStart: Bench = {
  name: "service-start",
  about:
    "seconds from the service's first start on a machine to ready, shipped bundle, and where nothing must be measured; at most 5",
  run: async () => [await timeStart({}), await timeStart({ precision: "float32" })],
};

/** With an empty cache each time, as on a new machine. */
async function timeStart({ precision }: { precision?: string }): Promise<BenchResult> {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const cache = await mkdtemp(join(tmpdir(), "service-start-"));
    const asked = precision === undefined ? {} : { PRECISION: precision };
    const service = await startService({ EDGE_CAPTION_CACHE: cache, ...asked });
    seconds.push(service.startSeconds);
    await service.stop();
    await rm(cache, { recursive: true });
  }
  const number = median(seconds);
  const ours = `${number.toFixed(2)} s, median of ${rounds}`;
  return { ...(precision === undefined ? {} : { variant: precision }), number, ours, peer: "none" };
}
