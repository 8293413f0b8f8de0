import { evaluate } from "./evaluate.ts";
import { evidence } from "./evidence.ts";
import { exportBundle } from "./export.ts";
import { features } from "./features.ts";
import { fit } from "./fit.ts";
import { prepare } from "./prepare.ts";
import { quantize } from "./quantize.ts";
import { report } from "./report.ts";
import { sentences } from "./sentences.ts";
import type { Stage } from "./stage.ts";

/** All stages, in the order in which they run. */
export const stages: readonly Stage[] = [
  ...[sentences, prepare, features, evidence, fit],
  ...[quantize, exportBundle, evaluate, report],
];
