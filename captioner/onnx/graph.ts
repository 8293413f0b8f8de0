import onnxProto from "onnx-proto";

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

/** Builds one ONNX graph. Every method that adds something returns the name of the value it makes. */
export class OnnxGraph {
  readonly #nodes: InstanceType<typeof onnx.NodeProto>[] = [];
  readonly #constants: InstanceType<typeof onnx.TensorProto>[] = [];
  readonly #inputs: InstanceType<typeof onnx.ValueInfoProto>[] = [];
  readonly #outputs: InstanceType<typeof onnx.ValueInfoProto>[] = [];

  input(name: string, type: ElementType, shape: readonly Dimension[]): string {
    this.#inputs.push(valueInfo(name, { type, shape }));
    return name;
  }

  /** Gives a value of the graph its name outside. */
  output(value: string, { name, type, shape }: { name: string; type: ElementType; shape: readonly Dimension[] }): void {
    this.#nodes.push(onnx.NodeProto.create({ opType: "Identity", input: [value], output: [name] }));
    this.#outputs.push(valueInfo(name, { type, shape }));
  }

  float32Constant(values: Float32Array, dims: readonly number[]): string {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.#constant({ dims: [...dims], dataType: DataType.FLOAT, rawData: bytes });
  }

  /** Whole numbers as they lie in memory. */
  intConstant(values: Int8Array | Uint8Array | Int32Array, dims: readonly number[]): string {
    const dataType =
      values instanceof Int8Array ? DataType.INT8 : values instanceof Uint8Array ? DataType.UINT8 : DataType.INT32;
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.#constant({ dims: [...dims], dataType, rawData });
  }

  /** A vector of int64: what ONNX takes for shapes and axes. */
  int64Vector(values: readonly number[]): string {
    return this.#constant({ dims: [values.length], dataType: DataType.INT64, int64Data: [...values] });
  }

  /** A node with one output. Whole numbers become integer attributes; `{ float }` says that a real number is meant. */
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
