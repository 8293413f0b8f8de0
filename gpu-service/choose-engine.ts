import { type Bundle, type EncoderBundle, hasDecoder } from "./bundle.ts";
import type { CpuSettings, EncoderEngine, Engine, EngineChoice } from "./engine.ts";
import { readNativeSetup } from "./native-setup.ts";
import { createOnnxEncoder, createOnnxEngine } from "./onnx/engine.ts";
import { deviceOf, loadTensorFlow, type TensorFlow } from "./tensorflow/binding.ts";
import { createTensorFlowEncoder, createTensorFlowEngine } from "./tensorflow/engine.ts";

export interface ChosenEngine {
  /** An `Engine` for a model bundle. */
  engine: Engine | EncoderEngine;
  /** Why this one, in words for the log. */
  reason: string;
  /** Whether it runs on the CPU though TensorFlow was set up for a GPU. */
  isFallback: boolean;
}

/** Makes the engine that was asked for; `auto` is TensorFlow where it finds a GPU, and else ONNX Runtime on the CPU. */
export async function chooseEngine(
  choice: EngineChoice,
  bundle: EncoderBundle | Bundle,
  cpu: CpuSettings,
): Promise<ChosenEngine> {
  if (choice === "onnx") return { engine: await onOnnx(bundle, cpu), reason: "asked for", isFallback: false };
  const isForGpu = readNativeSetup()?.kind === "gpu";
  if (choice === "tensorflow") {
    const engine = onTensorFlow(bundle, loadTensorFlow());
    return { engine, reason: "asked for", isFallback: isForGpu && engine.device !== "gpu" };
  }
  if (!isForGpu) {
    const reason = "TensorFlow is not set up for a GPU";
    return { engine: await onOnnx(bundle, cpu), reason, isFallback: false };
  }
  const tf = loadTensorFlow();
  return deviceOf(tf) === "gpu"
    ? { engine: onTensorFlow(bundle, tf), reason: "TensorFlow found a GPU", isFallback: false }
    : { engine: await onOnnx(bundle, cpu), reason: "TensorFlow found no GPU", isFallback: true };
}

function onOnnx(bundle: EncoderBundle | Bundle, cpu: CpuSettings): Promise<Engine | EncoderEngine> {
  return hasDecoder(bundle) ? createOnnxEngine(bundle, cpu) : createOnnxEncoder(bundle, cpu);
}

function onTensorFlow(bundle: EncoderBundle | Bundle, tf: TensorFlow): Engine | EncoderEngine {
  return hasDecoder(bundle) ? createTensorFlowEngine(bundle, tf) : createTensorFlowEncoder(bundle, tf);
}
