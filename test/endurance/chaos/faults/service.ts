import type { Fault } from "../fault.ts";
import { shortened } from "../test-deployment.ts";
import { replacedEngines } from "./engine.ts";

/** What a host and the service need from an end to the next beginning. */
export const restartSeconds = 10;

export const killService: Fault = {
  name: "kill-service",
  about: "SIGKILL to the service, which its host restarts",
  promise: "what is cached is answered, the rest waits for the service, or gets 502 or 503",
  mayRefuse: ["upstream_error", "overloaded"],
  recoverySeconds: restartSeconds + shortened.restSeconds,
  async run({ deployment, mended, expect }) {
    const { kept } = deployment.service;
    const engine = deployment.engine;
    process.kill(kept.pid, "SIGKILL");
    mended();
    await deployment.untilReady(deployment.service);
    expect(kept.endings.length === 1, "the service ends once");
    expect(deployment.engine !== engine, "the engine of the service that was killed goes with it");
  },
};

export const stopService: Fault = {
  name: "stop-service",
  about: "SIGSTOP to the service and its engine, SIGCONT after 10 s",
  promise:
    "what is cached is answered, the rest gets 504, 502 or 503; once it continues, it does not mistake its engine for a hung one",
  mayRefuse: ["upstream_timeout", "upstream_error", "overloaded"],
  recoverySeconds: shortened.restSeconds + 5,
  async run(scene) {
    const { kept } = scene.deployment.service;
    kept.signal("SIGSTOP");
    await scene.hold(10);
    kept.signal("SIGCONT");
    scene.mended();
    await scene.hold(shortened.engineTimeoutMs / 1000 + 1);
    scene.expect((await replacedEngines(scene)) === 0, "no engine is replaced");
    scene.expect(kept.endings.length === 0, "the service does not end");
  },
};
