import type { Fault } from "../fault.ts";

export const restartEdge: Fault = {
  name: "restart-edge",
  about: "SIGKILL to the edge, which is restarted on its stored cache",
  promise: "clients cannot connect for a while, then everything is as before, the cache included",
  mayRefuse: [],
  recoverySeconds: 5,
  mayCutOff: true,
  async run({ deployment, mended, hold }) {
    await deployment.restartEdge();
    mended();
    await hold(2);
  },
};
