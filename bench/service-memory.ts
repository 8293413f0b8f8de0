import pMap from "p-map";
import { madePhotos } from "../test/fixtures/made-images.ts";
import type { Bench } from "./bench.ts";
import { captionOver, type RunningService, startService } from "./running-service.ts";

const requests = 5000;
const early = 1000;
const clients = 24;

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
      const earlyMiB = await memoryOf(service);
      await caption(requests - early);
      const number = await memoryOf(service);
      return { number, ours: `${number.toFixed(0)} MiB, ${earlyMiB.toFixed(0)} after ${early}`, peer: "none" };
    } finally {
      await service.stop();
    }
  },
};

/** Resident MiB of the service and its engine, as it tells Prometheus. */
async function memoryOf({ origin }: RunningService): Promise<number> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  const read = (name: RegExp) => Number(metrics.match(name)?.[1]);
  const bytes =
    read(/^process_resident_memory_bytes (\S+)$/m) + read(/^edge_caption_engine_memory_bytes\{engine="0"\} (\S+)$/m);
  return bytes / 2 ** 20;
}
