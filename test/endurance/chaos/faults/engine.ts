import type { Fault, Scene } from "../fault.ts";
import { shortened } from "../test-deployment.ts";

const restarts = (reason: string) => `edge_caption_engine_restarts_total{reason="${reason}"}`;
/** About two on a machine at rest; here the load is on the same cores. */
const replaceSeconds = 10;

export const killEngine: Fault = {
  name: "kill-engine",
  about: "SIGKILL to the engine",
  promise: "it is replaced, and the photos it held run once more: nobody is refused",
  mayRefuse: [],
  recoverySeconds: replaceSeconds,
  async run(scene) {
    process.kill(scene.deployment.engine, "SIGKILL");
    scene.mended();
    await expectReplaced(scene, { reason: "died", seconds: replaceSeconds });
  },
};

export const stopEngine: Fault = {
  name: "stop-engine",
  about: "SIGSTOP to the engine, for good",
  promise: "a hung engine is replaced; requests that waited too long get 504, those beyond the queue 503",
  mayRefuse: ["upstream_timeout", "overloaded", "upstream_error"],
  recoverySeconds: shortened.engineTimeoutMs / 1000 + replaceSeconds + shortened.restSeconds,
  async run(scene) {
    process.kill(scene.deployment.engine, "SIGSTOP");
    scene.mended();
    await expectReplaced(scene, { reason: "hung", seconds: shortened.engineTimeoutMs / 1000 + replaceSeconds });
  },
};

async function expectReplaced(scene: Scene, { reason, seconds }: { reason: string; seconds: number }): Promise<void> {
  const isCounted = async () => (await scene.deployment.metric(restarts(reason))) === 1;
  await scene.until(isCounted, { seconds, what: `/metrics counts one engine that ${reason}` });
}

/** How many engines were replaced, for whatever reason. */
export async function replacedEngines({ deployment }: Scene): Promise<number> {
  const counts = await Promise.all(["died", "hung", "grown"].map((reason) => deployment.metric(restarts(reason))));
  return counts.reduce((sum, count) => sum + count);
}
