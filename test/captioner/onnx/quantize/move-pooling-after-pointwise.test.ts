import "@tensorflow/tfjs-backend-cpu";
import { initializers, input, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import type { LayersModel } from "../../../../captioner/networks/layers-model.ts";
import { compileEncoder } from "../../../../captioner/onnx/encoder.ts";
import { movePoolingAfterPointwise } from "../../../../captioner/onnx/quantize/move-pooling-after-pointwise.ts";
import { savedAndParsed } from "../../../fixtures/saved-model.ts";
import { seededRandom } from "../../../fixtures/seeded-random.ts";
import { largestDifference } from "../../../fixtures/vectors.ts";

const size = 9;
const preprocessing = { width: size, height: size, fit: "fill", kernel: "linear", divisor: 127.5, offset: -1 } as const;
const random = seededRandom(11);
const pixels = Uint8Array.from({ length: size * size * 3 }, () => Math.floor(random() * 256));

type Layer = Pick<ReturnType<typeof layers.dense>, "apply">;
const apply = (layer: Layer, from: SymbolicTensor) => layer.apply(from) as SymbolicTensor;
let seed = 0;
const between = (minval: number, maxval: number) => initializers.randomUniform({ minval, maxval, seed: ++seed });
const convolve = (from: SymbolicTensor, filters: number, config: Partial<Parameters<typeof layers.conv2d>[0]> = {}) => {
  const initial = { kernelInitializer: between(-0.7, 0.7), biasInitializer: between(-0.1, 0.1) };
  return apply(layers.conv2d({ filters, kernelSize: 1, ...initial, ...config }), from);
};
const normalize = (from: SymbolicTensor) => {
  const initial = { gammaInitializer: between(0.5, 1.5), betaInitializer: between(0.1, 0.3) };
  return apply(layers.batchNormalization(initial), from);
};
const add = (from: SymbolicTensor) => layers.add().apply([rectify(from), from]) as SymbolicTensor;
const rectify = (from: SymbolicTensor) => apply(layers.activation({ activation: "relu" }), from);
const average = (from: SymbolicTensor) =>
  apply(layers.averagePooling2d({ poolSize: 3, strides: 1, padding: "same" }), from);

/** A network of six channels, averaged, and what reads them. */
function networkOf(read: (averaged: SymbolicTensor) => SymbolicTensor): Promise<LayersModel> {
  const from = input({ shape: [size, size, 3] });
  const outputs = apply(layers.globalAveragePooling2d({}), read(average(convolve(from, 6))));
  return savedAndParsed(model({ inputs: from, outputs }));
}

/** The classes of the layers that a value passes through from the averaged channels on. */
function orderOf({ layers }: LayersModel): string[] {
  return layers.slice(2).map((layer) => layer.class);
}

describe("movePoolingAfterPointwise", () => {
  test("takes an average behind the convolution that makes fewer channels of it, and the batch normalisation there", async () => {
    const normalized = await networkOf((averaged) => rectify(normalize(convolve(averaged, 2))));
    const late = movePoolingAfterPointwise(normalized);
    const rest = ["Activation", "GlobalAveragePooling2D"];
    expect(orderOf(normalized)).toEqual(["AveragePooling2D", "Conv2D", "BatchNormalization", ...rest]);
    expect(orderOf(late)).toEqual(["Conv2D", "BatchNormalization", "AveragePooling2D", ...rest]);
  });

  test.each<[string, (averaged: SymbolicTensor) => SymbolicTensor]>([
    ["a bias", (averaged) => convolve(averaged, 2)],
    ["a bias and an activation behind it", (averaged) => rectify(convolve(averaged, 2))],
    ["batch normalisation and an activation behind it", (averaged) => rectify(normalize(convolve(averaged, 2)))],
    ["another average and convolution behind it", (averaged) => convolve(average(convolve(averaged, 4)), 2)],
    ["several readers", (averaged) => add(convolve(averaged, 2))],
  ])("changes no feature of a convolution with %s", async (_, read) => {
    const network = await networkOf(read);
    const late = movePoolingAfterPointwise(network);
    expect(orderOf(late)).not.toEqual(orderOf(network));
    const [expected, found] = [await featuresOf(network), await featuresOf(late)];
    expect(largestDifference(found, expected)).toBeLessThan(1e-5);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1e-2);
  });

  test.each<[string, (averaged: SymbolicTensor) => SymbolicTensor]>([
    ["makes more channels", (averaged) => convolve(averaged, 7)],
    ["has an activation of its own", (averaged) => convolve(averaged, 2, { activation: "relu" })],
    ["looks at neighbours", (averaged) => convolve(averaged, 2, { kernelSize: 3 })],
    ["passes over some", (averaged) => convolve(averaged, 2, { strides: 2 })],
  ])("leaves the order where the convolution %s", async (_, read) => {
    const network = await networkOf(read);
    expect(orderOf(movePoolingAfterPointwise(network))).toEqual(orderOf(network));
  });

  test("leaves the order where somebody else reads the average, too", async () => {
    const network = await networkOf(
      (averaged) => layers.concatenate().apply([averaged, convolve(averaged, 2)]) as SymbolicTensor,
    );
    expect(orderOf(movePoolingAfterPointwise(network))).toEqual(orderOf(network));
  });
});

async function featuresOf(network: LayersModel): Promise<Float32Array> {
  const session = await InferenceSession.create(compileEncoder(network, { preprocessing, featureSize: 2 }));
  const { features } = await session.run({ pixels: new Tensor("uint8", pixels, [1, size, size, 3]) });
  return features?.data as Float32Array;
}
