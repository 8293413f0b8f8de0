import pMap from "p-map";
import { madePhotos } from "../test/fixtures/made-images.ts";
import type { Bench } from "./bench.ts";
import { captionOver, memoryMiBOf, startService } from "./running-service.ts";

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
