import type { Preprocessing } from "../../shared/manifest.ts";
import type { ConvolutionWeights } from "../networks/convolution-weights.ts";
import type { OnnxGraph, Value } from "./graph.ts";
import { quantizationConstants } from "./quantize/activation-precision.ts";
import type { ChannelPart } from "./quantize/channel-equalization.ts";

/** An encoder's input: bytes [n, 3, height, width], which are scaled to floats only where a layer reads those. */
export class Pixels {
  readonly shape: readonly number[];
  /** Red, green and blue, which are never equalized. */
  readonly parts: readonly ChannelPart[] = [{ channels: 3 }];
  readonly #graph: OnnxGraph;
  readonly #preprocessing: Preprocessing;
  readonly #bytes: string;
  #scaled: Value | undefined;

  constructor(graph: OnnxGraph, preprocessing: Preprocessing) {
    const { width, height } = preprocessing;
    const pixels = graph.input("pixels", "uint8", ["photos", height, width, 3]);
    this.shape = [3, height, width];
    this.#graph = graph;
    this.#preprocessing = preprocessing;
    this.#bytes = graph.node("Transpose", [pixels], { perm: [0, 3, 1, 2] });
  }

  get scaled(): Value {
    this.#scaled ??= this.#scale();
    return this.#scaled;
  }

  /**
   * Input and weights for a convolution of the bytes themselves, without rounding: the offset of scaling goes into the bias.
   * Not for one that pads, since padding is zero after scaling.
   */
  convolveBytes({ kernel, bias }: ConvolutionWeights): { input: Value; weights: ConvolutionWeights } {
    const { divisor, offset } = this.#preprocessing;
    const quantization = { scale: Math.fround(1 / divisor), zeroPoint: 0 };
    const shifted = bias.slice();
    for (const [index, weight] of kernel.entries()) {
      const filter = index % bias.length;
      shifted[filter] = (shifted[filter] ?? 0) + offset * weight;
    }
    const name = this.#graph.node("DequantizeLinear", [
      this.#bytes,
      ...quantizationConstants(this.#graph, quantization),
    ]);
    return { input: { name, shape: this.shape, quantization }, weights: { kernel, bias: shifted } };
  }

  #scale(): Value {
    const graph = this.#graph;
    const { divisor, offset } = this.#preprocessing;
    const values = graph.node("Cast", [this.#bytes], { to: 1 }); // 1: TensorProto.FLOAT
    const scaled = graph.node("Div", [values, graph.float32Constant(Float32Array.of(divisor), [1])]);
    return {
      name: graph.node("Add", [scaled, graph.float32Constant(Float32Array.of(offset), [1])]),
      shape: this.shape,
    };
  }
}
