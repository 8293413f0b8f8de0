import {
  AdamOptimizer,
  add,
  addN,
  div,
  minimum,
  mul,
  type NamedTensorMap,
  sqrt,
  square,
  sum,
  type Tensor,
  tidy,
} from "@tensorflow/tfjs-core";

/** Adam (Kingma and Ba 2015) with Keras' constants, whose rate may change at every step. */
export class ScheduledAdam extends AdamOptimizer {
  constructor() {
    super(1e-3, 0.9, 0.999, 1e-7);
  }

  apply(gradients: NamedTensorMap, learningRate: number): void {
    this.learningRate = learningRate;
    this.applyGradients(Object.entries(gradients).map(([name, tensor]) => ({ name, tensor })));
  }
}

/** Gradients scaled down together where their joint norm is above `maxNorm` (Pascanu et al. 2013). Caller disposes them. */
export function clipByNorm(gradients: NamedTensorMap, maxNorm: number): NamedTensorMap {
  return tidy(() => {
    const squares = Object.values(gradients).map((gradient) => sum(square(gradient)));
    const norm = sqrt(addN(squares));
    const scale = minimum(1, div(maxNorm, add(norm, 1e-12)));
    return Object.fromEntries(
      Object.entries(gradients).map(([name, gradient]): [string, Tensor] => [name, mul(gradient, scale)]),
    );
  });
}
