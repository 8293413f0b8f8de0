import "@tensorflow/tfjs-backend-cpu";
import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import { input, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { InferenceSession, Tensor as OnnxTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { compileEncoder, compileInt8Encoder, compileProbes } from "../../../captioner/onnx/encoder.ts";
import type { Divisors, Range } from "../../../shared/ranges.ts";
import { savedAndParsed } from "../../fixtures/saved-model.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { largestDifference } from "../../fixtures/vectors.ts";
import { apply, fillWeights, predict } from "./made-networks.ts";

const size = 17;
const preprocessing = { width: size, height: size, fit: "fill", kernel: "linear", divisor: 127.5, offset: -1 } as const;
const random = seededRandom(7);
const pixels = Uint8Array.from({ length: size * size * 3 }, () => Math.floor(random() * 256));

const image = () => input({ shape: [size, size, 3] });
const convolve = (from: SymbolicTensor, config: Partial<Parameters<typeof layers.conv2d>[0]> = {}) =>
  apply(layers.conv2d({ filters: 5, kernelSize: 3, padding: "same", ...config }), from);
const average = (from: SymbolicTensor) => apply(layers.globalAveragePooling2d({}), from);
const normalize = (from: SymbolicTensor) => apply(layers.batchNormalization({}), from);

const encoders: Record<string, (from: SymbolicTensor) => SymbolicTensor> = {
  "a convolution with strides, same padding of unequal sides": (from) =>
    convolve(from, { kernelSize: [2, 4], strides: 2 }),
  "a convolution with valid padding and its own activation": (from) =>
    convolve(from, { padding: "valid", activation: "tanh" }),
  "batch normalisation behind a linear convolution with a bias": (from) => normalize(convolve(from)),
  "batch normalisation behind a convolution that something else reads, too": (from) => {
    const linear = convolve(from);
    return apply(layers.concatenate(), [normalize(linear), linear]);
  },
  "batch normalisation behind an activation": (from) => normalize(convolve(from, { activation: "relu" })),
  "batch normalisation of the pixels": (from) => normalize(from),
  "maximum pooling with same padding": (from) =>
    apply(layers.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }), convolve(from)),
  "average pooling with same padding": (from) =>
    apply(layers.averagePooling2d({ poolSize: 4, strides: 3, padding: "same" }), convolve(from)),
  "a convolution of convolutions and their poolings": (from) => {
    const rectified = convolve(from, { activation: "relu" });
    const pools = [layers.maxPooling2d, layers.averagePooling2d].map((pool) =>
      apply(pool({ poolSize: 3, strides: 1, padding: "same" }), rectified),
    );
    return convolve(apply(layers.concatenate(), [normalize(convolve(from)), ...pools]));
  },
  "a convolution of the pixels beside another's channels": (from) =>
    convolve(apply(layers.concatenate(), [from, convolve(from, { activation: "relu" })])),
  "a sum of two branches": (from) => apply(layers.add(), [convolve(from), convolve(from, { kernelSize: 1 })]),
};

/** A kernel whose first filter reaches a hundred times as far as the others, or one that weighs that channel a hundredth. */
function unevenAt(weight: Tensor): Tensor {
  const [, , channels = 0, filters = 1] = weight.shape;
  const scaled = weight.dataSync().map((value, index) => {
    if (weight.shape.length < 4) return value;
    if (channels === 3) return index % filters === 0 ? value * 100 : value;
    return Math.floor(index / filters) % channels === 0 ? value / 100 : value;
  });
  return tensor(scaled, weight.shape);
}

/** Some for each convolution. */
function divisorsOf({ layers }: Awaited<ReturnType<typeof savedAndParsed>>): Divisors {
  return Object.fromEntries(
    layers.flatMap((layer) =>
      layer.class === "Conv2D"
        ? [[layer.name, Array.from({ length: layer.config.filters }, () => 0.1 + random())]]
        : [],
    ),
  );
}

describe("compileEncoder", () => {
  test.each(Object.entries(encoders))("agrees with TensorFlow.js on %s", async (_, build) => {
    const from = image();
    const network = fillWeights(model({ inputs: from, outputs: average(build(from)) }), random);
    const [, featureSize = 0] = network.outputShape as number[];
    const session = await InferenceSession.create(
      Buffer.from(compileEncoder(await savedAndParsed(network), { preprocessing, featureSize })),
    );
    const { features } = await session.run({ pixels: new OnnxTensor("uint8", pixels, [1, size, size, 3]) });
    const scaled = Float32Array.from(pixels, (value) => value / 127.5 - 1);
    const expected = await predict(network, tensor(scaled, [1, size, size, 3])).data<"float32">();
    expect(largestDifference(features?.data as Float32Array, expected)).toBeLessThan(1e-4);
    expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(1e-2);
  });

  test.each(Object.entries(encoders))("stays close to itself in eight bits on %s", async (_, build) => {
    const from = image();
    const network = fillWeights(model({ inputs: from, outputs: average(build(from)) }), random);
    const [, featureSize = 0] = network.outputShape as number[];
    const parsed = await savedAndParsed(network);
    const run = async (bytes: Uint8Array) => {
      const session = await InferenceSession.create(bytes);
      return session.run({ pixels: new OnnxTensor("uint8", pixels, [1, size, size, 3]) });
    };
    const { bytes, layers: probed } = compileProbes(parsed, { preprocessing, featureSize });
    const { features: exact, ...made } = await run(bytes);
    const ranges = Object.fromEntries(
      probed.map(({ name }): [string, Range] => {
        const values = made[name]?.data as Float32Array;
        return [name, [Math.min(...values), Math.max(...values)]];
      }),
    );
    const { features } = await run(compileInt8Encoder(parsed, { preprocessing, featureSize, ranges }));
    const expected = exact?.data as Float32Array;
    const widest = Math.max(...Object.values(ranges).map(([low, high]) => high - low), 1);
    expect(largestDifference(features?.data as Float32Array, expected) / widest).toBeLessThan(0.02);
    if (probed.length > 0) expect(features?.data).not.toEqual(expected);
  });

  test.each(Object.entries(encoders))("gives the same with its channels divided on %s", async (_, build) => {
    const from = image();
    const network = fillWeights(model({ inputs: from, outputs: average(build(from)) }), random);
    const spec = { preprocessing, featureSize: Number(network.outputShape[1]) };
    const parsed = await savedAndParsed(network);
    const divisors = divisorsOf(parsed);
    const run = async (bytes: Uint8Array) => {
      const session = await InferenceSession.create(bytes);
      return session.run({ pixels: new OnnxTensor("uint8", pixels, [1, size, size, 3]) });
    };
    const [whole, divided] = [compileProbes(parsed, spec), compileProbes(parsed, { ...spec, divisors })];
    const { features, ...made } = await run(whole.bytes);
    const { features: same, ...madeDivided } = await run(divided.bytes);
    expect(largestDifference(same?.data as Float32Array, features?.data as Float32Array)).toBeLessThan(1e-4);
    for (const { name, parts } of divided.layers) {
      const scales = parts.flatMap(
        ({ channels, convolution }) => divisors[convolution ?? ""] ?? Array<number>(channels).fill(1),
      );
      const values = madeDivided[name]?.data as Float32Array;
      const restored = values.map(
        (value, index) => value * (scales[Math.floor((index * scales.length) / values.length)] ?? 0),
      );
      expect(largestDifference(restored, made[name]?.data as Float32Array), name).toBeLessThan(1e-4);
    }
  });

  test("comes closer in eight bits where divisors even out a channel that reaches far", async () => {
    const from = image();
    const rectified = convolve(from, { activation: "relu", name: "uneven" });
    const network = fillWeights(
      model({ inputs: from, outputs: average(convolve(rectified, { kernelSize: 1 })) }),
      random,
    );
    network.setWeights(network.getWeights().map(unevenAt));
    const parsed = await savedAndParsed(network);
    const spec = { preprocessing, featureSize: 5 };
    const run = async (bytes: Uint8Array) => {
      const session = await InferenceSession.create(bytes);
      return session.run({ pixels: new OnnxTensor("uint8", pixels, [1, size, size, 3]) });
    };
    const { features: exact } = await run(compileEncoder(parsed, spec));
    const errorWith = async (divisors: Divisors) => {
      const { features: _, ...made } = await run(compileProbes(parsed, { ...spec, divisors }).bytes);
      const ranges = Object.fromEntries(
        Object.entries(made).map(([name, { data }]): [string, Range] => {
          const values = data as Float32Array;
          return [name, [Math.min(...values), Math.max(...values)]];
        }),
      );
      const { features } = await run(compileInt8Encoder(parsed, { ...spec, ranges, divisors }));
      return largestDifference(features?.data as Float32Array, exact?.data as Float32Array);
    };
    expect(await errorWith({ uneven: [1, 0.1, 0.1, 0.1, 0.1] })).toBeLessThan((await errorWith({})) / 3);
  });

  test("refuses divisors of another number of channels by the convolution's name", async () => {
    const from = image();
    const parsed = await savedAndParsed(fillWeights(model({ inputs: from, outputs: average(convolve(from)) }), random));
    const [[convolution = ""] = []] = Object.entries(divisorsOf(parsed));
    const spec = { preprocessing, featureSize: 5, ranges: {}, divisors: { [convolution]: [1, 2] } };
    expect(() => compileInt8Encoder(parsed, spec)).toThrow(`layer ${convolution}: expected 5 divisors, found 2`);
  });

  test("takes a dense layer behind the average", async () => {
    const from = image();
    const outputs = apply(layers.dense({ units: 4, activation: "sigmoid" }), average(convolve(from)));
    const parsed = await savedAndParsed(fillWeights(model({ inputs: from, outputs }), random));
    expect(compileEncoder(parsed, { preprocessing, featureSize: 4 }).length).toBeGreaterThan(100);
  });

  test.each([
    [
      "features of another size",
      (from: SymbolicTensor) => average(convolve(from)),
      "expected an encoder with features [n, 9], found [n, 5]",
    ],
    ["features that are still an image", (from: SymbolicTensor) => convolve(from), "found [n, 5, 17, 17]"],
    [
      "a window larger than its image",
      (from: SymbolicTensor) =>
        average(apply(layers.maxPooling2d({ poolSize: 2 }), convolve(from, { padding: "valid", kernelSize: 17 }))),
      "its window is larger than its input, 1×1",
    ],
    [
      "a batch normalisation over rows",
      (from: SymbolicTensor) => average(apply(layers.batchNormalization({ axis: 1 }), from)),
      "found axis 1",
    ],
  ])("refuses %s", async (_, build, message) => {
    const from = image();
    const parsed = await savedAndParsed(model({ inputs: from, outputs: build(from) }));
    expect(() => compileEncoder(parsed, { preprocessing, featureSize: 9 })).toThrow(message);
  });
});
