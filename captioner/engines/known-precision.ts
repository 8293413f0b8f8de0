import { availableParallelism } from "node:os";
import type { EncoderBundle } from "../bundle.ts";
import type { EngineChoice, OnnxDevice, Precision, PrecisionChoice } from "../engine.ts";
import { recallPrecision } from "../onnx/precision-memory.ts";
import { readNativeSetup } from "./native-setup.ts";

/** What a lone engine on this machine computes in; undefined where it has yet to be measured. */
export async function knownPrecision(
  bundle: EncoderBundle,
  { engine, device, precision }: { engine: EngineChoice; device: OnnxDevice; precision: PrecisionChoice },
): Promise<Precision | undefined> {
  if (precision !== "auto") return precision;
  const isTensorFlow = engine === "tensorflow" || (engine === "auto" && readNativeSetup()?.kind === "gpu");
  if (isTensorFlow || device !== "cpu" || bundle.manifest.encoder.ranges === undefined) return "float32";
  return recallPrecision(bundle, availableParallelism());
}
