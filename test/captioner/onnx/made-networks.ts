import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import type { LayersModel, layers, SymbolicTensor } from "@tensorflow/tfjs-layers";

type Layer = Pick<ReturnType<typeof layers.dense>, "apply">;
export const apply = (layer: Layer, from: SymbolicTensor | SymbolicTensor[]) => layer.apply(from) as SymbolicTensor;
export const predict = (network: LayersModel, of: Tensor | Tensor[]) => network.predict(of) as Tensor;

/** Gives every weight a value, so that no bias or batch statistic is trivially zero or one. */
export function fillWeights(network: LayersModel, random: () => number): LayersModel {
  const values = network.getWeights().map((weight) => {
    const drawn = Float32Array.from({ length: weight.size }, () => random() * 0.4 + 0.05);
    const signed = drawn.map((value, index) => (weight.shape.length > 1 && index % 2 === 1 ? -value : value));
    return tensor(signed, weight.shape);
  });
  network.setWeights(values);
  return network;
}
