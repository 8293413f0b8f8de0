import * as z from "zod";

/**
 * Reader of TensorFlow.js' layers format: `model.json` (topology and weights manifest) and its weight files.
 * Source of the format: tfjs-layers 4.22 `src/keras_format`, tfjs-core 4.22 `src/io/types.ts`.
 */
const pairSchema = z.tuple([z.int().positive(), z.int().positive()]);
const paddingSchema = z.enum(["valid", "same"]);
const channelsLastSchema = z.literal("channels_last");
const activationSchema = z.enum(["linear", "relu", "sigmoid", "hard_sigmoid", "tanh", "softmax"]);

export type Activation = z.infer<typeof activationSchema>;

/** tfjs-layers writes some activations in camel case, Keras in snake case. */
const activationNameSchema = z
  .string()
  .transform((name) => (name === "hardSigmoid" ? "hard_sigmoid" : name))
  .pipe(activationSchema);

const poolingConfigSchema = z.object({
  pool_size: pairSchema,
  strides: pairSchema,
  padding: paddingSchema,
  data_format: channelsLastSchema,
});

const layerClasses = {
  InputLayer: z.object({ batch_input_shape: z.array(z.int().nullable()).min(1) }),
  Conv2D: z.object({
    filters: z.int().positive(),
    kernel_size: pairSchema,
    strides: pairSchema,
    padding: paddingSchema,
    data_format: channelsLastSchema,
    dilation_rate: z.tuple([z.literal(1), z.literal(1)]),
    activation: activationNameSchema,
    use_bias: z.boolean(),
  }),
  BatchNormalization: z.object({ axis: z.int(), epsilon: z.number(), center: z.boolean(), scale: z.boolean() }),
  Activation: z.object({ activation: activationNameSchema }),
  MaxPooling2D: poolingConfigSchema,
  AveragePooling2D: poolingConfigSchema,
  GlobalAveragePooling2D: z.object({ data_format: channelsLastSchema }),
  Concatenate: z.object({ axis: z.int() }),
  Add: z.object({}),
  Dropout: z.object({}),
  Dense: z.object({ units: z.int().positive(), activation: activationNameSchema, use_bias: z.boolean() }),
  Embedding: z.object({ input_dim: z.int().positive(), output_dim: z.int().positive() }),
  LSTM: z.object({
    units: z.int().positive(),
    activation: activationNameSchema,
    recurrent_activation: activationNameSchema,
    use_bias: z.boolean(),
    return_sequences: z.boolean(),
    go_backwards: z.literal(false),
    stateful: z.literal(false),
  }),
} as const;

type LayerClass = keyof typeof layerClasses;
/** A layer with the configuration of its class, and the names of the layers it reads from. */
export type Layer = {
  [Class in LayerClass]: {
    class: Class;
    name: string;
    inputs: readonly string[];
    config: z.infer<(typeof layerClasses)[Class]>;
  };
}[LayerClass];

const tensorReferenceSchema = z.tuple([z.string(), z.literal(0), z.literal(0)]);

/** One entry of a weights manifest. Source of the format: tfjs-core 4.22 `src/io/types.ts`. */
const weightSpecSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.literal("float32"),
  quantization: z.object({ dtype: z.enum(["uint8", "uint16"]), min: z.number(), scale: z.number() }).optional(),
});

type WeightSpec = z.infer<typeof weightSpecSchema>;

const modelSchema = z.object({
  format: z.literal("layers-model"),
  modelTopology: z.object({
    class_name: z.enum(["Model", "Functional"]),
    config: z.object({
      layers: z.array(
        z.object({
          name: z.string(),
          class_name: z.string(),
          config: z.unknown(),
          inbound_nodes: z
            .array(z.array(z.tuple([z.string(), z.literal(0), z.literal(0), z.object({})])))
            .max(1, "a layer used twice is not supported"),
        }),
      ),
      output_layers: z.tuple([tensorReferenceSchema]),
    }),
  }),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(weightSpecSchema) })),
});

export type LayerOf<Class extends LayerClass> = Extract<Layer, { class: Class }>;

/** float32 values in row-major order. */
export interface Weight {
  shape: readonly number[];
  values: Float32Array;
}

export interface LayersModel {
  /** The layers that the output depends on, each after those it reads. */
  layers: readonly Layer[];
  output: string;
  /** A layer's weight, like `kernel` of `conv2d_1`. Throws, naming it, when it is missing or of another shape. */
  weight(layer: string, name: string, shape: readonly number[]): Weight;
  /** The number of a layer's weights. */
  parameterCount(layer: string): number;
}

interface LayersModelFiles {
  topology: unknown;
  /** The bytes of a weight file, by its path in the weights manifest. */
  readWeights: (path: string) => Uint8Array;
}

/** Reads a network from the JSON of `model.json` and its weight files. Errors name layer or weight and say what was expected. */
export function parseLayersModel({ topology, readWeights }: LayersModelFiles): LayersModel {
  const parsed = modelSchema.safeParse(topology);
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const { modelTopology, weightsManifest } = parsed.data;
  const layers = modelTopology.config.layers.map((layer) =>
    parseLayer({ ...layer, inputs: (layer.inbound_nodes[0] ?? []).map(([name]) => name) }),
  );
  const [output] = modelTopology.config.output_layers[0];
  const weights = new Map(
    weightsManifest.flatMap((group) => decodeWeights(group.weights, Buffer.concat(group.paths.map(readWeights)))),
  );
  return {
    layers: inOrder(layers, output),
    output,
    weight(layer, name, shape) {
      const weight = weights.get(`${layer}/${name}`);
      if (weight === undefined) throw new Error(`weight ${layer}/${name} is missing`);
      if (weight.shape.join() !== shape.join()) {
        throw new Error(`expected weight ${layer}/${name} of shape [${shape}], found [${weight.shape}]`);
      }
      return weight;
    },
    parameterCount(layer) {
      const own = [...weights].filter(([name]) => name.startsWith(`${layer}/`));
      return own.reduce((sum, [, { values }]) => sum + values.length, 0);
    },
  };
}

/** Sorts the layers that `output` depends on, each after those it reads. */
function inOrder(layers: readonly Layer[], output: string): Layer[] {
  const layerByName = new Map(layers.map((layer) => [layer.name, layer]));
  const ordered = new Set<Layer>();
  const visiting = new Set<Layer>();
  const visit = (name: string) => {
    const layer = layerByName.get(name);
    if (layer === undefined) throw new Error(`layer ${name} is read but missing`);
    if (ordered.has(layer)) return;
    if (visiting.has(layer)) throw new Error(`layer ${name} reads its own output`);
    visiting.add(layer);
    for (const input of layer.inputs) visit(input);
    ordered.add(layer);
  };
  visit(output);
  return [...ordered];
}

function parseLayer(layer: { name: string; class_name: string; config: unknown; inputs: readonly string[] }): Layer {
  const { name, class_name: className, inputs } = layer;
  if (!isLayerClass(className)) {
    const known = Object.keys(layerClasses).join(", ");
    throw new Error(`layer ${name} is a ${className}; the layers supported are ${known}`);
  }
  const config = layerClasses[className].safeParse(layer.config);
  if (!config.success) {
    throw new Error(`layer ${name} (${className}): ${z.prettifyError(config.error)}`);
  }
  return { class: className, name, inputs, config: config.data } as Layer; // class and config were matched above
}

function isLayerClass(name: string): name is LayerClass {
  return Object.hasOwn(layerClasses, name);
}

const bytesPerValue = { float32: 4, uint8: 1, uint16: 2 } as const;

/** Cuts the weight files, joined in the manifest's order, into named weights. Errors name the weight. */
function decodeWeights(specs: readonly WeightSpec[], bytes: Uint8Array): [string, Weight][] {
  let offset = 0;
  const decoded = specs.map((spec): [string, Weight] => {
    const length = sizeOf(spec.shape) * bytesPerValue[spec.quantization?.dtype ?? "float32"];
    const end = offset + length;
    if (end > bytes.length) {
      throw new Error(`the weight files end inside ${spec.name}: expected ${end} bytes or more, found ${bytes.length}`);
    }
    const values = decodeWeight(spec, new Uint8Array(bytes.subarray(offset, end)));
    offset = end;
    return [spec.name, { shape: spec.shape, values }];
  });
  if (offset !== bytes.length) throw new Error(`expected ${offset} bytes of weights, found ${bytes.length}`);
  return decoded;
}

/**
 * float32 values from the bytes of one weight. `bytes` starts its own buffer, so that typed arrays on it are aligned;
 * the format is little-endian, as is every machine that Node runs on.
 */
function decodeWeight({ name, quantization }: WeightSpec, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  if (quantization === undefined) {
    const values = new Float32Array(bytes.buffer);
    if (!values.every(Number.isFinite)) throw new Error(`weight ${name} holds a number that is not finite`);
    return values;
  }
  const { dtype, min, scale } = quantization;
  const quantized = dtype === "uint8" ? bytes : new Uint16Array(bytes.buffer);
  const values = new Float32Array(quantized.length);
  for (let index = 0; index < values.length; index++) values[index] = (quantized[index] ?? 0) * scale + min;
  return values;
}

/** How many values a tensor of this shape holds. */
function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
