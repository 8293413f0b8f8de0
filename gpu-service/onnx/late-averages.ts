import type { LayerOf, LayersModel } from "../networks/layers-model.ts";

/**
 * A model whose averages are taken behind the 1×1 convolution that alone reads them, where that makes fewer channels: in
 * real numbers the same, since both are linear, padding counts for nothing, and a bias is its own average. ONNX Runtime
 * averages bytes so slowly that it was a third of InceptionV3's time.
 */
export function averageLate(model: LayersModel): LayersModel {
  const readersOf = (name: string) => model.layers.filter(({ inputs }) => inputs.includes(name));
  const inputsOf = new Map<string, readonly string[]>();
  const layers = [...model.layers];
  for (const average of model.layers) {
    const [convolution, another] = readersOf(average.name);
    if (average.class !== "AveragePooling2D" || another !== undefined || average.name === model.output) continue;
    if (convolution?.class !== "Conv2D" || !isPointwise(convolution) || !makesFewer(model, convolution)) continue;
    const readers = readersOf(convolution.name);
    const [normalization] = readers;
    const last = readers.length === 1 && normalization?.class === "BatchNormalization" ? normalization : convolution;
    if (last.name === model.output) continue;
    for (const reader of readersOf(last.name)) {
      const inputs = inputsOf.get(reader.name) ?? reader.inputs;
      inputsOf.set(
        reader.name,
        inputs.map((name) => (name === last.name ? average.name : name)),
      );
    }
    inputsOf.set(convolution.name, average.inputs);
    inputsOf.set(average.name, [last.name]);
    layers.splice(layers.indexOf(average), 1);
    layers.splice(layers.indexOf(last) + 1, 0, average);
  }
  return { ...model, layers: layers.map((layer) => ({ ...layer, inputs: inputsOf.get(layer.name) ?? layer.inputs })) };
}

function isPointwise({ config }: LayerOf<"Conv2D">): boolean {
  return config.activation === "linear" && [...config.kernel_size, ...config.strides].every((size) => size === 1);
}

function makesFewer(model: LayersModel, { name, config }: LayerOf<"Conv2D">): boolean {
  const { filters, use_bias: hasBias } = config;
  return filters < model.parameterCount(name) / filters - (hasBias ? 1 : 0);
}
