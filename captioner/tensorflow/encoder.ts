import type { Tensor, Tensor4D } from "@tensorflow/tfjs-node-gpu";
import type { Preprocessing } from "../../shared/manifest.ts";
import { type FoldedLayers, foldedWeights } from "../networks/convolution-weights.ts";
import { walkEncoder } from "../networks/walk-encoder.ts";
import { activate, asImage, type Network, runLayer } from "./layers.ts";

/**
 * Runs an encoder: pixels uint8 [n, height, width, 3], RGB, → float32 [n, featureSize]. Batch normalisation is folded
 * into the convolutions, and what no later layer reads is freed on the way. Caller disposes the result.
 */
export function encodePixels(
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
      forget: (value) => value.dispose(),
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
