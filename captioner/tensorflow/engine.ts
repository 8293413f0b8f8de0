import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import type { Bundle, EncoderBundle } from "../bundle.ts";
import type { EncoderEngine, Engine } from "../engine.ts";
import { deviceOf, type TensorFlow } from "./binding.ts";
import { TensorFlowDecoder, TensorFlowState } from "./decoder.ts";
import { encodePixels } from "./encoder.ts";
import type { Network } from "./layers.ts";
import { WeightTensors } from "./weights.ts";

/** Runs a bundle's networks on TensorFlow, its weights as tensors on TensorFlow's device. */
export function createTensorFlowEngine(bundle: Bundle, tf: TensorFlow): Engine {
  const { specialIds } = bundle.manifest;
  const encoder = createTensorFlowEncoder(bundle, tf);
  const decoderNetwork: Network = { model: bundle.readDecoder(), weights: new WeightTensors(tf) };
  const decoder = new TensorFlowDecoder(decoderNetwork, {
    vocabularySize: bundle.vocabulary.size,
    neverNext: [specialIds.padding, specialIds.start],
  });

  return {
    ...encoder,
    async begin(features, photos) {
      return decoder.begin(features, photos);
    },
    async step(state, rows) {
      if (!(state instanceof TensorFlowState)) throw new Error("the state is another engine's");
      const next = decoder.step(state, rows);
      return {
        words: await take(next.words, Int32Array),
        logProbabilities: await take(next.logProbabilities, Float32Array),
        state: new TensorFlowState(next.state),
      };
    },
    async close() {
      await encoder.close();
      decoderNetwork.weights.dispose();
    },
  };
}

/** The same for an encoder alone. */
export function createTensorFlowEncoder(bundle: EncoderBundle, tf: TensorFlow): EncoderEngine {
  const { preprocessing, encoder } = bundle.manifest;
  const network: Network = { model: bundle.readEncoder(), weights: new WeightTensors(tf) };

  return {
    name: "tensorflow",
    device: deviceOf(tf),
    precision: "float32",
    async encode(pixels, photos) {
      const features = encodePixels(network, { pixels, photos, preprocessing });
      expectShape(features, [photos, encoder.featureSize]);
      return take(features, Float32Array);
    },
    async close() {
      network.weights.dispose();
    },
  };
}

/** A tensor's values, the tensor freed. */
async function take<Values>(tensor: Tensor, type: new (length: number) => Values): Promise<Values> {
  try {
    const values = await tensor.data();
    if (values instanceof type) return values;
    throw new Error(`expected ${type.name}, received ${tensor.dtype}`);
  } finally {
    tensor.dispose();
  }
}

function expectShape(features: Tensor, shape: readonly number[]): void {
  if (features.shape.join() === shape.join()) return;
  features.dispose();
  throw new Error(
    `expected an encoder with features [n, ${shape[1]}], found [n, ${features.shape.slice(1).join(", ")}]`,
  );
}
