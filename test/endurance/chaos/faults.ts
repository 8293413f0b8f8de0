import type { Fault } from "./fault.ts";
import { holdConnections, postToRoot } from "./faults/bodies.ts";
import { corruptBundle } from "./faults/bundle.ts";
import { moveClock } from "./faults/clock.ts";
import { restartEdge } from "./faults/edge.ts";
import { killEngine, stopEngine } from "./faults/engine.ts";
import { killEdgeInJob } from "./faults/jobs.ts";
import { rollModel } from "./faults/model.ts";
import { cutNetwork, silenceNetwork } from "./faults/network.ts";
import { killService, stopService } from "./faults/service.ts";
import { slowPhotos } from "./faults/slow-photos.ts";
import { fillTmp } from "./faults/temporary-directory.ts";

/** Faults in the order in which they are tried. */
export const faults: readonly Fault[] = [
  killEngine,
  stopEngine,
  killService,
  stopService,
  fillTmp,
  restartEdge,
  rollModel,
  corruptBundle,
  moveClock,
  cutNetwork,
  silenceNetwork,
  holdConnections,
  postToRoot,
  slowPhotos,
  killEdgeInJob,
];
