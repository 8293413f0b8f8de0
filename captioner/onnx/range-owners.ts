import type { Layer, LayersModel } from "../networks/layers-model.ts";

/**
 * By layer, the layer in whose range its values are held, so that bytes pass from one to the next as they are: a maximum
 * is one of its input's values, and what only a concatenation reads is a part of that.
 */
export function rangeOwners(model: LayersModel): (layer: string) => string {
  const layerByName = new Map(model.layers.map((layer) => [layer.name, layer]));
  const readers = new Map<string, Layer[]>();
  for (const layer of model.layers) {
    for (const input of layer.inputs) readers.set(input, [...(readers.get(input) ?? []), layer]);
  }
  const ownerOf = (name: string): string => {
    const layer = layerByName.get(name);
    const [before] = layer?.inputs ?? [];
    if (layer?.class === "MaxPooling2D" && before !== undefined) return ownerOf(before);
    const [reader, another] = readers.get(name) ?? [];
    return reader?.class === "Concatenate" && another === undefined ? ownerOf(reader.name) : name;
  };
  return ownerOf;
}
