import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import type { TensorFlow } from "./binding.ts";

/** Tensors of a network's weights: made at their first use, whatever scope that is in, and kept until `dispose`. */
export class WeightTensors {
  readonly tf: TensorFlow;
  readonly #kept = new Map<string, Tensor>();

  constructor(tf: TensorFlow) {
    this.tf = tf;
  }

  /** float32, of the given shape. The store's own: callers do not dispose it. */
  get(name: string, shape: readonly number[], values: () => Float32Array): Tensor {
    return this.getOrMake(name, () => this.tf.tensor(values(), [...shape]));
  }

  /** As `get`, of anything that is computed once. */
  getOrMake(name: string, make: () => Tensor): Tensor {
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const made = this.tf.keep(this.tf.tidy(make));
    this.#kept.set(name, made);
    return made;
  }

  dispose(): void {
    for (const tensor of this.#kept.values()) tensor.dispose();
    this.#kept.clear();
  }
}
