import { type Bundle, type EncoderBundle, hasDecoder } from "../bundle.ts";
import type { CpuSettings, EncoderEngine, Engine, EngineChoice, OnnxSettings } from "../engine.ts";
import { createOnnxEncoder, createOnnxEngine } from "../onnx/engine.ts";
import { deviceOf, loadTensorFlow, type TensorFlow } from "../tensorflow/binding.ts";
import { createTensorFlowEncoder, createTensorFlowEngine } from "../tensorflow/engine.ts";
import { readNativeSetup } from "./native-setup.ts";

export interface ChosenEngine {
  /** An `Engine` for a model bundle. */
  engine: Engine | EncoderEngine;
  /** The reason for this engine, for the log. */
  reason: string;
  /** Whether it runs on the CPU although TensorFlow was set up for a GPU. */
  isFallback: boolean;
}

/** Creates the chosen engine; `auto` is TensorFlow if it finds a GPU, else ONNX Runtime on the CPU. */
export async function chooseEngine(
  choice: EngineChoice,
  bundle: EncoderBundle | Bundle,
  { device = "cpu", ...cpu }: OnnxSettings,
): Promise<ChosenEngine> {
  if (choice === "onnx")
    return { engine: await onOnnx(bundle, { ...cpu, device }), reason: "asked for", isFallback: false };
  if (device !== "cpu") throw new Error(`device ${device}: expected the engine onnx beside it, received ${choice}`);
  const isForGpu = readNativeSetup()?.kind === "gpu";
  if (choice === "tensorflow") {
    expectFloat32(cpu);
    const engine = onTensorFlow(bundle, loadTensorFlow());
    return { engine, reason: "asked for", isFallback: isForGpu && engine.device !== "gpu" };
  }
  if (!isForGpu) {
    const reason = "TensorFlow is not set up for a GPU";
    return { engine: await onOnnx(bundle, cpu), reason, isFallback: false };
  }
  const tf = loadTensorFlow();
  if (deviceOf(tf) !== "gpu") {
    return { engine: await onOnnx(bundle, cpu), reason: "TensorFlow found no GPU", isFallback: true };
  }
  expectFloat32(cpu);
  return { engine: onTensorFlow(bundle, tf), reason: "TensorFlow found a GPU", isFallback: false };
}

function expectFloat32({ precision }: CpuSettings): void {
  if (precision === "int8") throw new Error("expected float32 or auto for TensorFlow, received int8: onnx computes it");
}

function onOnnx(bundle: EncoderBundle | Bundle, settings: OnnxSettings): Promise<Engine | EncoderEngine> {
  return hasDecoder(bundle) ? createOnnxEngine(bundle, settings) : createOnnxEncoder(bundle, settings);
}

function onTensorFlow(bundle: EncoderBundle | Bundle, tf: TensorFlow): Engine | EncoderEngine {
  return hasDecoder(bundle) ? createTensorFlowEngine(bundle, tf) : createTensorFlowEncoder(bundle, tf);
}
