import { customGrad, type GradSaveFunc, matMul, type Tensor, type Tensor2D, transpose } from "@tensorflow/tfjs-core";

/**
 * a · b, [n, m] and [m, k]. Its gradient multiplies by transposed copies: TensorFlow.js' own multiplies by matrices that are
 * only flagged as transposed, for which its WebAssembly backend takes ten times as long.
 */
export const product: (a: Tensor2D, b: Tensor2D) => Tensor2D = customGrad<Tensor2D>(
  (...args: (Tensor | GradSaveFunc)[]) => {
    const [one, other, save] = args as [Tensor2D, Tensor2D, GradSaveFunc]; // customGrad appends the last
    save([one, other]);
    return {
      value: matMul(one, other),
      gradFunc: (outer: Tensor2D, [a, b]: Tensor[]) => [
        matMul(outer, transpose(b as Tensor2D)),
        matMul(transpose(a as Tensor2D), outer),
      ],
    };
  },
);
