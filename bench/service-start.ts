import { type Bench, median } from "./bench.ts";
import { startService } from "./running-service.ts";

const rounds = 3;

export const serviceStart: Bench = {
  name: "service-start",
  about: "seconds from the service's start to ready, shipped bundle; at most 5",
  async run() {
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const service = await startService();
      seconds.push(service.startSeconds);
      await service.stop();
    }
    const number = median(seconds);
    return { number, ours: `${number.toFixed(2)} s, median of ${rounds}`, peer: "none" };
  },
};
