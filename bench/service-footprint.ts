import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pMap from "p-map";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { type Bench, type BenchResult, median } from "./bench.ts";
import { captionOver, memoryMiBOf, startService } from "./running-service.ts";

const startRounds = 3;
const requests = 5000;
const early = 1000;
const clients = 24;

export const serviceStart: Bench = {
  name: "service-start",
  about:
    "seconds from the service's first start on a machine to ready, shipped bundle, and where nothing must be measured; at most 5",
  run: async () => [await timeStart({}), await timeStart({ precision: "float32" })],
};

/** Times a start with an empty cache, as on a new machine. */
async function timeStart({ precision }: { precision?: string }): Promise<BenchResult> {
  const seconds: number[] = [];
  for (let round = 0; round < startRounds; round++) {
    const cache = await mkdtemp(join(tmpdir(), "service-start-"));
    const asked = precision === undefined ? {} : { PRECISION: precision };
    const service = await startService({ EDGE_CAPTION_CACHE: cache, ...asked });
    seconds.push(service.startSeconds);
    await service.stop();
    await rm(cache, { recursive: true });
  }
  const number = median(seconds);
  const ours = `${number.toFixed(2)} s, median of ${startRounds}`;
  return { ...(precision === undefined ? {} : { variant: precision }), number, ours, peer: "none" };
}

export const serviceMemory: Bench = {
  name: "service-memory",
  about: "MiB of service and engine together after 5 000 requests; at most 1024, and flat from the first thousand on",
  async run() {
    const photos = await madePhotos(64);
    const service = await startService();
    const caption = (turns: number) =>
      pMap(Array(turns).keys(), (turn) => captionOver(service, photos[turn % photos.length] ?? new Uint8Array()), {
        concurrency: clients,
      });
    try {
      await caption(early);
      const earlyMiB = await memoryMiBOf(service);
      await caption(requests - early);
      const number = await memoryMiBOf(service);
      return {
        number,
        ours: `${number.toFixed(0)} MiB, ${earlyMiB.toFixed(0)} after ${early}, in ${service.precision}`,
        peer: "none",
      };
    } finally {
      await service.stop();
    }
  },
};
