import type { Layer, LayerOf, LayersModel } from "../../networks/layers-model.ts";

/**
 * Moves average pooling after the 1×1 convolution that alone reads it, if the convolution has fewer output channels.
 * The result is the same in exact arithmetic: both are linear, padding is not counted, and a bias is its own average. ONNX
 * Runtime pools int8 so slowly that it took a third of InceptionV3's time.
 */
export function movePoolingAfterPointwise(model: LayersModel): LayersModel {
  const layers = [...model.layers];
  for (const { name } of model.layers) {
    const average = layers.find((layer) => layer.name === name);
    if (average?.class !== "AveragePooling2D" || name === model.output) continue;
    const convolution = onlyReaderOf(average, layers);
    if (convolution?.class !== "Conv2D" || !isPointwise(convolution) || !makesFewer(model, convolution)) continue;
    const normalization = onlyReaderOf(convolution, layers);
    const last = normalization?.class === "BatchNormalization" ? normalization : convolution;
    if (last.name !== model.output) swap(layers, { average, convolution, last });
  }
  return { ...model, layers };
}

function onlyReaderOf({ name }: Layer, layers: readonly Layer[]): Layer | undefined {
  const [reader, another] = layers.filter(({ inputs }) => inputs.includes(name));
  return another === undefined ? reader : undefined;
}

/** Puts a pooling layer after the last of the layers that follow it in a row. */
function swap(
  layers: Layer[],
  { average, convolution, last }: { average: Layer; convolution: Layer; last: Layer },
): void {
  const inputsOf = ({ name, inputs }: Layer): readonly string[] => {
    if (name === average.name) return [last.name];
    if (name === convolution.name) return average.inputs;
    return inputs.map((input) => (input === last.name ? average.name : input));
  };
  const swapped = layers.map((layer) => ({ ...layer, inputs: inputsOf(layer) }));
  const [moved] = swapped.splice(layers.indexOf(average), 1);
  if (moved !== undefined) swapped.splice(swapped.findIndex(({ name }) => name === last.name) + 1, 0, moved);
  layers.splice(0, layers.length, ...swapped);
}

function isPointwise({ config }: LayerOf<"Conv2D">): boolean {
  return config.activation === "linear" && [...config.kernel_size, ...config.strides].every((size) => size === 1);
}

function makesFewer(model: LayersModel, { name, config }: LayerOf<"Conv2D">): boolean {
  const { filters, use_bias: hasBias } = config;
  return filters < model.parameterCount(name) / filters - (hasBias ? 1 : 0);
}
