import type { Fault } from "../fault.ts";
import { shortened } from "../product.ts";

export const cutLink: Fault = {
  name: "cut-link",
  about: "connections between edge and service are reset, and new ones too, for 6 s",
  promise: "what is cached is answered, the rest gets 502; the service is asked again once its rest is over",
  mayRefuse: ["upstream_error"],
  recoverySeconds: shortened.restSeconds + 2,
  async run({ product, hold, mended }) {
    product.link.cut();
    await hold(6);
    product.link.mend();
    mended();
  },
};

export const silenceLink: Fault = {
  name: "silence-link",
  about: "no byte passes between edge and service for 12 s, and nobody is told",
  promise: "what is cached is answered, the rest gets 504 when its time is up, or 502 while the service is left alone",
  mayRefuse: ["upstream_timeout", "upstream_error", "overloaded"],
  recoverySeconds: shortened.restSeconds + 5,
  async run({ product, hold, mended }) {
    product.link.silence();
    await hold(12);
    product.link.mend();
    mended();
  },
};
