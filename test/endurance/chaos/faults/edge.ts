import type { Fault } from "../fault.ts";

export const restartEdge: Fault = {
  name: "restart-edge",
  about: "SIGKILL to the edge, which is started again on its stored cache",
  promise: "clients find nobody for a while, then all as before: what was cached still is",
  mayRefuse: [],
  recoverySeconds: 5,
  mayCutOff: true,
  async run({ deployment, mended, hold }) {
    await deployment.restartEdge();
    mended();
    await hold(2);
  },
};
