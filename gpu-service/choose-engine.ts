import type { Bundle } from "./bundle.ts";
import type { Engine, EngineChoice } from "./engine.ts";
import { readNativeSetup } from "./native-setup.ts";
import { createOnnxEngine } from "./onnx/engine.ts";
import { deviceOf, loadTensorFlow, type TensorFlow } from "./tensorflow/binding.ts";
import { createTensorFlowEngine } from "./tensorflow/engine.ts";

export interface ChosenEngine {
  engine: Engine;
  /** Why this one, in words for the log. */
  reason: string;
}

/** Makes the engine that was asked for; `auto` is TensorFlow where it finds a GPU, and else ONNX Runtime on the CPU. */
export async function chooseEngine(choice: EngineChoice, bundle: Bundle): Promise<ChosenEngine> {
  if (choice === "onnx") return { engine: await createOnnxEngine(bundle), reason: "asked for" };
  if (choice === "tensorflow") return { engine: createTensorFlowEngine(bundle, loadTensorFlow()), reason: "asked for" };
  const { tf, reason } = tensorFlowOnGpu();
  return { engine: tf === undefined ? await createOnnxEngine(bundle) : createTensorFlowEngine(bundle, tf), reason };
}

function tensorFlowOnGpu(): { tf?: TensorFlow; reason: string } {
  if (readNativeSetup()?.kind !== "gpu") return { reason: "TensorFlow is not set up for a GPU" };
  const tf = loadTensorFlow();
  return deviceOf(tf) === "gpu" ? { tf, reason: "TensorFlow found a GPU" } : { reason: "TensorFlow found no GPU" };
}
