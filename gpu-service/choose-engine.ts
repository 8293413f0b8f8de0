import { type Bundle, type EncoderBundle, hasDecoder } from "./bundle.ts";
import type { EncoderEngine, Engine, EngineChoice } from "./engine.ts";
import { readNativeSetup } from "./native-setup.ts";
import { createOnnxEncoder, createOnnxEngine } from "./onnx/engine.ts";
import { deviceOf, loadTensorFlow, type TensorFlow } from "./tensorflow/binding.ts";
import { createTensorFlowEncoder, createTensorFlowEngine } from "./tensorflow/engine.ts";

export interface ChosenEngine {
  /** An `Engine` for a model bundle. */
  engine: Engine | EncoderEngine;
  /** Why this one, in words for the log. */
  reason: string;
}

/** Makes the engine that was asked for; `auto` is TensorFlow where it finds a GPU, and else ONNX Runtime on the CPU. */
export async function chooseEngine(choice: EngineChoice, bundle: EncoderBundle | Bundle): Promise<ChosenEngine> {
  if (choice === "onnx") return { engine: await onOnnx(bundle), reason: "asked for" };
  if (choice === "tensorflow") return { engine: onTensorFlow(bundle, loadTensorFlow()), reason: "asked for" };
  const { tf, reason } = tensorFlowOnGpu();
  return { engine: tf === undefined ? await onOnnx(bundle) : onTensorFlow(bundle, tf), reason };
}

function onOnnx(bundle: EncoderBundle | Bundle): Promise<Engine | EncoderEngine> {
  return hasDecoder(bundle) ? createOnnxEngine(bundle) : createOnnxEncoder(bundle);
}

function onTensorFlow(bundle: EncoderBundle | Bundle, tf: TensorFlow): Engine | EncoderEngine {
  return hasDecoder(bundle) ? createTensorFlowEngine(bundle, tf) : createTensorFlowEncoder(bundle, tf);
}

function tensorFlowOnGpu(): { tf?: TensorFlow; reason: string } {
  if (readNativeSetup()?.kind !== "gpu") return { reason: "TensorFlow is not set up for a GPU" };
  const tf = loadTensorFlow();
  return deviceOf(tf) === "gpu" ? { tf, reason: "TensorFlow found a GPU" } : { reason: "TensorFlow found no GPU" };
}
