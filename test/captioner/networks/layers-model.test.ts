import { describe, expect, test } from "vitest";
import { parseLayersModel } from "../../../captioner/networks/layers-model.ts";

const dense = (name: string, input: string) => ({
  name,
  class_name: "Dense",
  config: { units: 2, activation: "relu", use_bias: true },
  inbound_nodes: [[[input, 0, 0, {}]]],
});
const input = { name: "in", class_name: "InputLayer", config: { batch_input_shape: [null, 3] }, inbound_nodes: [] };

function topology(layers: readonly object[], weights: readonly object[] = []): unknown {
  const config = { layers, input_layers: [["in", 0, 0]], output_layers: [["out", 0, 0]] };
  return {
    format: "layers-model",
    modelTopology: { class_name: "Model", config },
    weightsManifest: [{ paths: ["weights.bin"], weights }],
  };
}

const parse = (json: unknown, weights = new Uint8Array()) =>
  parseLayersModel({ topology: json, readWeights: () => weights });

describe("parseLayersModel", () => {
  test("puts each layer behind those it reads and leaves out what the output does not need", () => {
    const model = parse(topology([dense("out", "middle"), dense("unused", "in"), dense("middle", "in"), input]));
    expect(model.layers.map(({ name }) => name)).toEqual(["in", "middle", "out"]);
  });

  test.each([
    [
      "a layer it does not know",
      topology([input, { ...dense("out", "in"), class_name: "Conv3D" }]),
      "layer out is a Conv3D",
    ],
    [
      "an activation it does not know",
      topology([input, { ...dense("out", "in"), config: { units: 2, activation: "gelu", use_bias: true } }]),
      "layer out (Dense)",
    ],
    ["a layer that is not there", topology([input, dense("out", "gone")]), "layer gone is read but missing"],
    ["a cycle", topology([dense("out", "other"), dense("other", "out")]), "layer out reads its own output"],
    ["another format", { format: "graph-model" }, "at format"],
  ])("refuses %s, by name", (_, json, message) => {
    expect(() => parse(json)).toThrow(message);
  });

  test("reads float32 and both quantizations, behind each other in one file", () => {
    const floats = new Uint8Array(Float32Array.of(1.5, -2).buffer);
    const json = topology(
      [input, dense("out", "in")],
      [
        { name: "out/a", shape: [3], dtype: "float32", quantization: { dtype: "uint8", min: -1, scale: 0.5 } },
        { name: "out/b", shape: [2], dtype: "float32" },
        { name: "out/c", shape: [1, 1], dtype: "float32", quantization: { dtype: "uint16", min: 0, scale: 2 } },
      ],
    );
    const model = parse(json, Uint8Array.of(0, 2, 4, ...floats, 1, 1));
    expect([...model.weight("out", "a", [3]).values]).toEqual([-1, 0, 1]);
    expect([...model.weight("out", "b", [2]).values]).toEqual([1.5, -2]);
    expect([model.parameterCount("out"), model.parameterCount("in")]).toEqual([6, 0]);
    expect([...model.weight("out", "c", [1, 1]).values]).toEqual([514]);
    expect(() => model.weight("out", "a", [1, 3])).toThrow("expected weight out/a of shape [1,3], found [3]");
    expect(() => model.weight("out", "d", [1])).toThrow("weight out/d is missing");
  });

  test.each([
    ["too few bytes", 7, "the weight files end inside out/kernel: expected 8 bytes or more, found 7"],
    ["too many bytes", 12, "expected 8 bytes of weights, found 12"],
  ])("refuses weight files with %s", (_, length, message) => {
    const json = topology([input, dense("out", "in")], [{ name: "out/kernel", shape: [2], dtype: "float32" }]);
    expect(() => parse(json, new Uint8Array(length))).toThrow(message);
  });

  test("refuses a weight that is not a number", () => {
    const json = topology([input, dense("out", "in")], [{ name: "out/bias", shape: [1], dtype: "float32" }]);
    const bytes = new Uint8Array(Float32Array.of(Number.NaN).buffer);
    expect(() => parse(json, bytes)).toThrow("weight out/bias holds a number that is not finite");
  });
});
