import * as z from "zod";
import { decodeWeights, type Weight, weightSpecSchema } from "./layers-weights.ts";

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

export interface LayersModel {
  /** The layers that the output needs, each behind those it reads. */
  layers: readonly Layer[];
  output: string;
  /** A layer's weight, `kernel` of `conv2d_1` say; throws, naming it, when it is missing or of another shape. */
  weight(layer: string, name: string, shape: readonly number[]): Weight;
  /** How many numbers a layer has learnt, 0 for one without weights. */
  parameterCount(layer: string): number;
}

interface LayersModelFiles {
  topology: unknown;
  /** The bytes of a weight file, by its path in the weights manifest. */
  readWeights: (path: string) => Uint8Array;
}

/** Parses a parsed `model.json` with its weight files. Errors name layer or weight and say what was expected. */
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

/** The layers that `output` needs, each behind those it reads. */
function inOrder(layers: readonly Layer[], output: string): Layer[] {
  const layerByName = new Map(layers.map((layer) => [layer.name, layer]));
  const ordered = new Set<Layer>();
  const visiting = new Set<Layer>();
  const visit = (name: string) => {
    const layer = layerByName.get(name);
    if (layer === undefined) throw new Error(`layer ${name} is read but not there`);
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
  return { class: className, name, inputs, config: config.data } as Layer; // class and config were matched just above
}

function isLayerClass(name: string): name is LayerClass {
  return Object.hasOwn(layerClasses, name);
}
