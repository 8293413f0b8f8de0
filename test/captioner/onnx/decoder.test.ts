import "@tensorflow/tfjs-backend-cpu";
import { tensor2d } from "@tensorflow/tfjs-core";
import { input, type LayersModel, layers, model } from "@tensorflow/tfjs-layers";
import { InferenceSession, Tensor as OnnxTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { compileDecoder } from "../../../captioner/onnx/decoder.ts";
import { createOnnxDecoder } from "../../../captioner/onnx/decoder-session.ts";
import { savedAndParsed } from "../../fixtures/saved-model.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { largestDifference } from "../../fixtures/vectors.ts";
import { apply, fillWeights, predict } from "./made-networks.ts";

const random = seededRandom(7);
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
  return fillWeights(model({ inputs: [features, words], outputs }), random);
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
    const network = fillWeights(model({ inputs: features, outputs }), random);
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
    const evidence = await savedAndParsed(fillWeights(network, random));
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
