import type { Tensor, Tensor4D } from "@tensorflow/tfjs-node-gpu";
import type { Preprocessing } from "../../shared/manifest.ts";
import type { Bundle, EncoderBundle } from "../bundle.ts";
import type { EncoderEngine, Engine } from "../engine.ts";
import { type FoldedLayers, foldedWeights } from "../networks/convolution-weights.ts";
import { walkEncoder } from "../networks/walk-encoder.ts";
import { deviceOf, type TensorFlow } from "./binding.ts";
import { TensorFlowDecoder, TensorFlowState } from "./decoder.ts";
import { activate, asImage, type Network, runLayer, WeightTensors } from "./layers.ts";

/** Creates an engine that runs a bundle's networks on TensorFlow, with the weights on TensorFlow's device. */
export function createTensorFlowEngine(bundle: Bundle, tf: TensorFlow): Engine {
  const { specialIds } = bundle.manifest;
  const encoder = createTensorFlowEncoder(bundle, tf);
  const decoderNetwork: Network = { model: bundle.readDecoder(), weights: new WeightTensors(tf) };
  const detectors = bundle.readEvidence();
  const evidence: Network | undefined =
    detectors === undefined ? undefined : { model: detectors, weights: new WeightTensors(tf) };
  const decoder = new TensorFlowDecoder(decoderNetwork, {
    evidence,
    vocabularySize: bundle.vocabulary.size,
    suppressedIds: [specialIds.padding, specialIds.start],
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
        scores: await take(next.scores, Float32Array),
        state: new TensorFlowState(next.state),
      };
    },
    async close() {
      await encoder.close();
      decoderNetwork.weights.dispose();
      evidence?.weights.dispose();
    },
  };
}

/** Creates an engine for an encoder alone. */
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

/** Reads a tensor's values and frees it. */
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

/**
 * Runs an encoder: pixels uint8 [n, height, width, 3], RGB, → float32 [n, featureSize]. Batch normalisation is folded
 * into the convolutions, and values that no later layer reads are freed at once. Caller disposes the result.
 */
function encodePixels(
  network: Network,
  { pixels, photos, preprocessing }: { pixels: Uint8Array; photos: number; preprocessing: Preprocessing },
): Tensor {
  const { tf } = network.weights;
  const { width, height, divisor, offset } = preprocessing;
  return tf.tidy(() => {
    const values = tf.cast(tf.tensor4d(pixels, [photos, height, width, 3], "int32"), "float32");
    const input: Tensor = tf.add(tf.div(values, divisor), offset);
    return walkEncoder(network.model, input, {
      convolve: (image, layers) => convolve(network, layers, asImage(layers.convolution, image)),
      apply: (layer, inputs) => runLayer(network, layer, inputs),
      dispose: (value) => value.dispose(),
    });
  });
}

function convolve({ model, weights }: Network, layers: FoldedLayers, image: Tensor4D): Tensor {
  const { tf } = weights;
  const { name, config } = layers.convolution;
  const { filters, kernel_size: kernelSize, strides, padding, activation } = config;
  const [, , , channels] = image.shape;
  const shape: [number, number, number, number] = [...kernelSize, channels, filters];
  const kernel = weights.get(`${name}/kernel`, shape, () => foldedWeights(model, { ...layers, channels }).kernel);
  const bias = weights.get(`${name}/bias`, [filters], () => foldedWeights(model, { ...layers, channels }).bias);
  const sum = tf.fused.conv2d({ x: image, filter: kernel.as4D(...shape), strides, pad: padding, bias });
  return activate(tf, activation, sum);
}
