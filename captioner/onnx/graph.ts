import onnxProto from "onnx-proto";
import type { Activation, LayersModel } from "../networks/layers-model.ts";
import type { QuantizationParams } from "./quantize/quantize-weights.ts";

const { onnx } = onnxProto;
const { AttributeType } = onnx.AttributeProto;
const { DataType } = onnx.TensorProto;

/** Opset 17 has every operator used here; ONNX Runtime has read it since 1.12. */
const opsetVersion = 17;
const irVersion = 8;

type Attribute = number | readonly number[] | { float: number };
type Dimension = number | string;

const elementTypes = {
  float32: DataType.FLOAT,
  uint8: DataType.UINT8,
  int8: DataType.INT8,
  int32: DataType.INT32,
  int64: DataType.INT64,
} as const;
type ElementType = keyof typeof elementTypes;

/** Builds one ONNX graph. Methods that add a value return its name. */
export class OnnxGraph {
  readonly #nodes: InstanceType<typeof onnx.NodeProto>[] = [];
  readonly #constants: InstanceType<typeof onnx.TensorProto>[] = [];
  readonly #inputs: InstanceType<typeof onnx.ValueInfoProto>[] = [];
  readonly #outputs: InstanceType<typeof onnx.ValueInfoProto>[] = [];

  input(name: string, type: ElementType, shape: readonly Dimension[]): string {
    this.#inputs.push(valueInfo(name, { type, shape }));
    return name;
  }

  /** Makes a value an output of the graph, under this name. */
  output(value: string, { name, type, shape }: { name: string; type: ElementType; shape: readonly Dimension[] }): void {
    this.#nodes.push(onnx.NodeProto.create({ opType: "Identity", input: [value], output: [name] }));
    this.#outputs.push(valueInfo(name, { type, shape }));
  }

  float32Constant(values: Float32Array, dims: readonly number[]): string {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.#constant({ dims: [...dims], dataType: DataType.FLOAT, rawData: bytes });
  }

  /** A constant of the array's own type. */
  intConstant(values: Int8Array | Uint8Array | Int32Array, dims: readonly number[]): string {
    const dataType =
      values instanceof Int8Array ? DataType.INT8 : values instanceof Uint8Array ? DataType.UINT8 : DataType.INT32;
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.#constant({ dims: [...dims], dataType, rawData });
  }

  /** A vector of int64, as ONNX wants shapes and axes. */
  int64Vector(values: readonly number[]): string {
    return this.#constant({ dims: [values.length], dataType: DataType.INT64, int64Data: [...values] });
  }

  /** A node with one output. Whole numbers become integer attributes; `{ float }` makes a real one. */
  node(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const [output] = this.nodes(opType, inputs, { attributes, outputs: 1 });
    if (output === undefined) throw new Error(`${opType} has no output`);
    return output;
  }

  /** A node with several outputs. */
  nodes(
    opType: string,
    inputs: readonly string[],
    { attributes, outputs }: { attributes: Readonly<Record<string, Attribute>>; outputs: number },
  ): string[] {
    const first = `${opType}_${this.#nodes.length}`;
    const names = Array.from({ length: outputs }, (_, index) => (index === 0 ? first : `${first}_${index}`));
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    this.#nodes.push(onnx.NodeProto.create({ opType, name: first, input: [...inputs], output: names, attribute }));
    return names;
  }

  /** The graph as an ONNX file. */
  toBytes(): Uint8Array {
    const model = onnx.ModelProto.create({
      irVersion,
      opsetImport: [{ domain: "", version: opsetVersion }],
      producerName: "edge-caption",
      graph: {
        name: "edge-caption",
        node: this.#nodes,
        initializer: this.#constants,
        input: this.#inputs,
        output: this.#outputs,
      },
    });
    return onnx.ModelProto.encode(model).finish();
  }

  #constant(tensor: { dims: number[]; dataType: number; rawData?: Uint8Array; int64Data?: number[] }): string {
    const name = `constant_${this.#constants.length}`;
    this.#constants.push(onnx.TensorProto.create({ name, ...tensor }));
    return name;
  }
}

function valueInfo(name: string, { type, shape }: { type: ElementType; shape: readonly Dimension[] }) {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return onnx.ValueInfoProto.create({ name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } });
}

function attributeProto(name: string, value: Attribute) {
  if (typeof value === "number") return onnx.AttributeProto.create({ name, type: AttributeType.INT, i: value });
  if ("float" in value) return onnx.AttributeProto.create({ name, type: AttributeType.FLOAT, f: value.float });
  return onnx.AttributeProto.create({ name, type: AttributeType.INTS, ints: [...value] });
}

/** A value of the graph: float32 [n, ...shape]. Images are channels first: [channels, height, width]. */
export interface Value {
  name: string;
  shape: readonly number[];
  /** Present if the value was quantized and dequantized, so that it holds only numbers that bytes represent. */
  quantization?: QuantizationParams;
}

/** The graph being built and the model it is built from. */
export interface Compilation {
  graph: OnnxGraph;
  model: LayersModel;
}

const activationNodes = {
  relu: ["Relu", {}],
  sigmoid: ["Sigmoid", {}],
  hard_sigmoid: ["HardSigmoid", { alpha: { float: 0.2 }, beta: { float: 0.5 } }],
  tanh: ["Tanh", {}],
  softmax: ["Softmax", { axis: -1 }],
} as const;

/** Adds an activation to the graph: the value itself if it is linear. */
export function activate(graph: OnnxGraph, activation: Activation, input: Value): Value {
  if (activation === "linear") return input;
  const [operator, attributes] = activationNodes[activation];
  return { name: graph.node(operator, [input.name], attributes), shape: input.shape };
}
