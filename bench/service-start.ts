import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, median } from "./bench.ts";
import { startService } from "./running-service.ts";

const rounds = 3;

export const serviceStart: Bench = {
  name: "service-start",
  about: "seconds from the service's first start on a machine to ready, shipped bundle; at most 5",
  async run() {
    const seconds: number[] = [];
    const folder = await mkdtemp(join(tmpdir(), "service-start-"));
    for (let round = 0; round < rounds; round++) {
      const service = await startService({ EDGE_CAPTION_CACHE: await mkdtemp(join(folder, "cache-")) }); // as on a new machine
      seconds.push(service.startSeconds);
      await service.stop();
    }
    await rm(folder, { recursive: true });
    const number = median(seconds);
    return { number, ours: `${number.toFixed(2)} s, median of ${rounds}`, peer: "none" };
  },
};
