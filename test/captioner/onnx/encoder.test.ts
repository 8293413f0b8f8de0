import "@tensorflow/tfjs-backend-cpu";
import { type Tensor, tensor, tensor2d } from "@tensorflow/tfjs-core";
import { input, type LayersModel, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { InferenceSession, Tensor as OnnxTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { compileDecoder } from "../../../captioner/onnx/decoder.ts";
import { createOnnxDecoder } from "../../../captioner/onnx/decoder-session.ts";
import { compileEncoder, compileInt8Encoder, compileProbes } from "../../../captioner/onnx/encoder.ts";
import type { Divisors, Range } from "../../../shared/ranges.ts";
import { savedAndParsed } from "../../fixtures/saved-model.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { largestDifference } from "../../fixtures/vectors.ts";

const size = 17;
const preprocessing = { width: size, height: size, fit: "fill", kernel: "linear", divisor: 127.5, offset: -1 } as const;
const random = seededRandom(7);
const pixels = Uint8Array.from({ length: size * size * 3 }, () => Math.floor(random() * 256));

type Layer = Pick<ReturnType<typeof layers.dense>, "apply">;
const apply = (layer: Layer, from: SymbolicTensor | SymbolicTensor[]) => layer.apply(from) as SymbolicTensor;
const predict = (network: LayersModel, of: Tensor | Tensor[]) => network.predict(of) as Tensor;

/** Gives every weight a value, so that no bias or batch statistic is trivially zero or one. */
function fillWeights(network: LayersModel): LayersModel {
  const values = network.getWeights().map((weight) => {
    const drawn = Float32Array.from({ length: weight.size }, () => random() * 0.4 + 0.05);
    const signed = drawn.map((value, index) => (weight.shape.length > 1 && index % 2 === 1 ? -value : value));
    return tensor(signed, weight.shape);
  });
  network.setWeights(values);
  return network;
}

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
    const network = fillWeights(model({ inputs: from, outputs: average(build(from)) }));
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
    const network = fillWeights(model({ inputs: from, outputs: average(build(from)) }));
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
    const network = fillWeights(model({ inputs: from, outputs: average(build(from)) }));
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
    const network = fillWeights(model({ inputs: from, outputs: average(convolve(rectified, { kernelSize: 1 })) }));
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
    const parsed = await savedAndParsed(fillWeights(model({ inputs: from, outputs: average(convolve(from)) })));
    const [[convolution = ""] = []] = Object.entries(divisorsOf(parsed));
    const spec = { preprocessing, featureSize: 5, ranges: {}, divisors: { [convolution]: [1, 2] } };
    expect(() => compileInt8Encoder(parsed, spec)).toThrow(`layer ${convolution}: expected 5 divisors, found 2`);
  });

  test("takes a dense layer behind the average", async () => {
    const from = image();
    const outputs = apply(layers.dense({ units: 4, activation: "sigmoid" }), average(convolve(from)));
    const parsed = await savedAndParsed(fillWeights(model({ inputs: from, outputs })));
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

const vocabularySize = 11;
const captionLength = 6;
const featureSize = 8;
const decoderSpec = { featureSize, vocabularySize, suppressedIds: [0, 1] };

interface Recurrence {
  lstm: Partial<Parameters<typeof layers.lstm>[0]>[];
  merge: "add" | "concatenate";
}

function decoder({ lstm, merge }: Recurrence): LayersModel {
  const features = input({ shape: [featureSize] });
  const words = input({ shape: [captionLength] });
  const photo = apply(layers.dense({ units: 6, activation: "relu" }), features);
  const embedded = apply(layers.embedding({ inputDim: vocabularySize, outputDim: 5, maskZero: true }), words);
  const remembered = lstm.reduce(
    (from, config) => apply(layers.lstm({ units: 6, recurrentInitializer: "zeros", ...config }), from),
    embedded,
  );
  const merged = apply(merge === "add" ? layers.add() : layers.concatenate(), [photo, remembered]);
  const outputs = apply(layers.dense({ units: vocabularySize, activation: "softmax" }), merged);
  return fillWeights(model({ inputs: [features, words], outputs }));
}

describe("compileDecoder", () => {
  test.each<[string, Recurrence]>([
    ["an LSTM with sigmoid gates", { lstm: [{ recurrentActivation: "sigmoid" }], merge: "add" }],
    [
      "an LSTM with hard sigmoid gates and no bias",
      { lstm: [{ recurrentActivation: "hardSigmoid", useBias: false }], merge: "add" },
    ],
    ["two LSTMs, one on the other", { lstm: [{ units: 4, returnSequences: true }, {}], merge: "add" }],
    ["a merge that concatenates", { lstm: [{}], merge: "concatenate" }],
  ])("agrees with TensorFlow.js word by word on %s", async (_, recurrence) => {
    const network = decoder(recurrence);
    const compiled = compileDecoder(await savedAndParsed(network), decoderSpec);
    const context = await InferenceSession.create(Buffer.from(compiled.context));
    const step = await InferenceSession.create(Buffer.from(compiled.step));
    const features = Float32Array.from({ length: featureSize }, () => random() - 0.5);
    const made = await context.run({ features: new OnnxTensor("float32", features, [1, featureSize]) });
    const memory = compiled.state
      .filter(({ kind }) => kind === "memory")
      .map(({ name, size: width }) => [name, new OnnxTensor("float32", new Float32Array(width), [1, width])] as const);
    let state: Record<string, OnnxTensor> = { ...made, ...Object.fromEntries(memory) };
    const prefix: number[] = [];
    for (const word of [1, 5, 2, 9]) {
      prefix.push(word);
      const found = await step.run({
        ...state,
        parents: new OnnxTensor("int32", Int32Array.of(0), [1]),
        words: new OnnxTensor("int32", Int32Array.of(word), [1]),
        count: new OnnxTensor("int64", BigInt64Array.of(9n), [1]),
      });
      state = Object.fromEntries(compiled.state.map(({ name }) => [name, found[`next ${name}`] as OnnxTensor]));
      const padded = [...new Array<number>(captionLength - prefix.length).fill(0), ...prefix];
      const expected = await predict(network, [tensor2d(features, [1, featureSize]), tensor2d([padded])]).data();
      const ids = found.next_words?.data as Int32Array;
      const logs = Float32Array.from(ids, (id) => Math.log(expected[id] ?? Number.NaN));
      expect(new Set(ids).size).toBe(9);
      expect(largestDifference(found.log_probabilities?.data as Float32Array, logs)).toBeLessThan(1e-4);
    }
  });

  test("ranks by log-probability and the evidence of each photo, and leaves probabilities as they are", async () => {
    const parsed = await savedAndParsed(decoder({ lstm: [{}], merge: "add" }));
    const detect = layers.dense({ units: 4, activation: "hardSigmoid" });
    const features = input({ shape: [featureSize] });
    const outputs = apply(layers.dense({ units: vocabularySize }), apply(detect, features));
    const network = fillWeights(model({ inputs: features, outputs }));
    const spec = { ...decoderSpec, evidence: await savedAndParsed(network) };
    const guided = await createOnnxDecoder(compileDecoder(parsed, spec), spec);
    const usual = await createOnnxDecoder(compileDecoder(parsed, decoderSpec), decoderSpec);
    const photos = Float32Array.from({ length: 2 * featureSize }, () => 4 * random() - 2);
    const evidence = await predict(network, tensor2d(photos, [2, featureSize])).data();
    const rows = { parents: Int32Array.of(1, 0, 1), words: Int32Array.of(3, 4, 5), count: 9 };
    const found = await guided.step(await guided.begin(photos, 2), rows);
    const expected = await usual.step(await usual.begin(photos, 2), rows);
    expect(expected.scores).toEqual(expected.logProbabilities);
    for (const [row, photo] of rows.parents.entries()) {
      const own = (values: Int32Array | Float32Array) => [...values.subarray(9 * row, 9 * (row + 1))];
      const usualOf = new Map(own(expected.words).map((id, place) => [id, own(expected.logProbabilities)[place]]));
      for (const [place, id] of own(found.words).entries()) {
        expect(own(found.logProbabilities)[place]).toBeCloseTo(usualOf.get(id) ?? Number.NaN, 5);
        const ofWord = evidence[photo * vocabularySize + id] ?? Number.NaN;
        expect(own(found.scores)[place]).toBeCloseTo((usualOf.get(id) ?? Number.NaN) + ofWord, 5);
      }
      expect(own(found.scores)).toEqual(own(found.scores).toSorted((one, other) => other - one));
      expect(own(found.words)).not.toEqual(own(expected.words)); // the evidence changed their order
    }
    await Promise.all([guided.close(), usual.close()]);
  });

  test("refuses evidence of another vocabulary", async () => {
    const parsed = await savedAndParsed(decoder({ lstm: [{}], merge: "add" }));
    const features = input({ shape: [featureSize] });
    const network = model({ inputs: features, outputs: apply(layers.dense({ units: 12 }), features) });
    const evidence = await savedAndParsed(fillWeights(network));
    const compile = () => compileDecoder(parsed, { ...decoderSpec, evidence });
    expect(compile).toThrow(`expected evidence of ${vocabularySize} words, found [n, 12]`);
  });

  test.each([
    ["another vocabulary", { ...decoderSpec, vocabularySize: 12 }, "expected an embedding of 12 words, found 11"],
    ["features of another size", { ...decoderSpec, featureSize: 9 }, "kernel of shape [9,6], found [8,6]"],
  ])("refuses %s", async (_, spec, message) => {
    const parsed = await savedAndParsed(decoder({ lstm: [{}], merge: "add" }));
    expect(() => compileDecoder(parsed, spec)).toThrow(message);
  });

  test("refuses a network without a second input, by its inputs", async () => {
    const from = input({ shape: [featureSize], name: "only" });
    const outputs = apply(layers.dense({ units: vocabularySize, activation: "softmax" }), from);
    const parsed = await savedAndParsed(model({ inputs: from, outputs }));
    expect(() => compileDecoder(parsed, decoderSpec)).toThrow("expected a decoder with one input of words");
  });
});
