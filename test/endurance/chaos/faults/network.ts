import type { Fault } from "../fault.ts";
import { shortened } from "../test-deployment.ts";

export const cutNetwork: Fault = {
  name: "cut-link",
  about: "connections between edge and service are reset, new ones too, for 6 s",
  promise: "what is cached is answered, the rest gets 502; the service is asked again once its rest is over",
  mayRefuse: ["upstream_error"],
  recoverySeconds: shortened.restSeconds + 2,
  async run({ deployment, hold, mended }) {
    deployment.proxy.cut();
    await hold(6);
    deployment.proxy.mend();
    mended();
  },
};

export const silenceNetwork: Fault = {
  name: "silence-link",
  about: "no byte passes between edge and service for 12 s, and no connection is closed",
  promise: "what is cached is answered, the rest gets 504 when its time is up, or 502 while the service is left alone",
  mayRefuse: ["upstream_timeout", "upstream_error", "overloaded"],
  recoverySeconds: shortened.restSeconds + 5,
  async run({ deployment, hold, mended }) {
    deployment.proxy.silence();
    await hold(12);
    deployment.proxy.mend();
    mended();
  },
};
