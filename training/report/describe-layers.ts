import type { Layer, LayersModel } from "../../captioner/networks/layers-model.ts";

type Shape = readonly (number | null)[];

/** A layer in words. */
export interface DescribedLayer {
  name: string;
  /** Class and activation, like `Dense, relu`. */
  kind: string;
  inputs: readonly string[];
  /** Output shape with the batch, null, first; undefined for a class whose shape is not computed here. */
  shape: Shape | undefined;
  parameters: number;
}

/** Describes a decoder's layers, each after those it reads. */
export function describeLayers(model: LayersModel): DescribedLayer[] {
  const shapes = new Map<string, Shape | undefined>();
  return model.layers.map((layer) => {
    const shape = outputShape(
      layer,
      layer.inputs.map((name) => shapes.get(name)),
    );
    shapes.set(layer.name, shape);
    const { name, inputs } = layer;
    return { name, kind: describeClass(layer), inputs, shape, parameters: model.parameterCount(name) };
  });
}

/** Counts the layers of each class and their parameters, the most frequent class first. */
export function countByClass(model: LayersModel): { name: string; layers: number; parameters: number }[] {
  const counts = new Map<string, { layers: number; parameters: number }>();
  for (const layer of model.layers) {
    const { layers, parameters } = counts.get(layer.class) ?? { layers: 0, parameters: 0 };
    const all = { layers: layers + 1, parameters: parameters + model.parameterCount(layer.name) };
    counts.set(layer.class, all);
  }
  const rows = [...counts].map(([name, count]) => ({ name, ...count }));
  return rows.toSorted((one, other) => other.layers - one.layers || (one.name < other.name ? -1 : 1));
}

/** Counts the parameters of all layers. */
export function countParameters(model: LayersModel): number {
  return model.layers.reduce((sum, { name }) => sum + model.parameterCount(name), 0);
}

function describeClass(layer: Layer): string {
  if (layer.class !== "Dense" && layer.class !== "LSTM" && layer.class !== "Activation") return layer.class;
  return `${layer.class}, ${layer.config.activation}`;
}

function outputShape(layer: Layer, [first]: readonly (Shape | undefined)[]): Shape | undefined {
  switch (layer.class) {
    case "InputLayer":
      return layer.config.batch_input_shape;
    case "Dense":
      return first && [...first.slice(0, -1), layer.config.units];
    case "Embedding":
      return first && [...first, layer.config.output_dim];
    case "LSTM":
      return (
        first &&
        (layer.config.return_sequences ? [...first.slice(0, -1), layer.config.units] : [null, layer.config.units])
      );
    case "Add":
    case "Activation":
    case "BatchNormalization":
    case "Dropout":
      return first;
    default:
      return undefined; // convolutions and pools: no decoder that the service runs has them
  }
}
