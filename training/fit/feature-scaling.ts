import type { MergeValues } from "./merge-model.ts";

/**
 * Mean and standard deviation of each feature over the training photos. A decoder learns from standardized features,
 * whose channels weigh alike, and is exported for unscaled ones. Channels that the photos hardly use have a deviation
 * near 0 and would reach extreme values on photos of another kind, so a floor is added to each deviation.
 */
export class FeatureScaling {
  /** float32 [featureSize] each. */
  readonly #means: Float32Array;
  readonly #deviations: Float32Array;

  /** Measures features, float32 [photos, featureSize]. */
  constructor(features: Float32Array, { featureSize, floor }: { featureSize: number; floor: number }) {
    const photos = features.length / featureSize;
    this.#means = new Float32Array(featureSize);
    this.#deviations = new Float32Array(featureSize);
    for (let channel = 0; channel < featureSize; channel++) {
      let sum = 0;
      let squares = 0;
      for (let place = channel; place < features.length; place += featureSize) {
        const value = features[place] ?? 0;
        sum += value;
        squares += value * value;
      }
      const mean = sum / photos;
      this.#means[channel] = mean;
      this.#deviations[channel] = Math.sqrt(Math.max(0, squares / photos - mean * mean)) + floor;
    }
  }

  /** Standardizes features in place: float32 [photos, featureSize]. */
  standardize(features: Float32Array): void {
    const { length } = this.#means;
    for (let place = 0; place < features.length; place++) {
      const channel = place % length;
      features[place] = ((features[place] ?? 0) - (this.#means[channel] ?? 0)) / (this.#deviations[channel] ?? 1);
    }
  }

  /** Converts a decoder of standardized features into one that gives the same captions for unscaled features. */
  fold(values: MergeValues): MergeValues {
    return withImageDense(values, this.foldDense(imageDense(values)));
  }

  /** Converts a decoder of unscaled features into one for standardized features, the inverse of `fold`. */
  unfold(values: MergeValues): MergeValues {
    const unfolded = changeDense(imageDense(values), (weight, channel) => ({
      weight: weight * (this.#deviations[channel] ?? 1),
      shift: weight * (this.#means[channel] ?? 0),
    }));
    return withImageDense(values, unfolded);
  }

  /** Converts the layer that reads standardized features into one that gives the same for unscaled features. */
  foldDense(layer: DenseWeights): DenseWeights {
    return changeDense(layer, (weight, channel) => ({
      weight: weight / (this.#deviations[channel] ?? 1),
      shift: -(weight * (this.#means[channel] ?? 0)) / (this.#deviations[channel] ?? 1),
    }));
  }
}

/** Weights of a dense layer that reads features: float32 [featureSize, units] and [units]. */
interface DenseWeights {
  kernel: Float32Array;
  bias: Float32Array;
}

function imageDense(values: MergeValues): DenseWeights {
  return { kernel: values["image_dense/kernel"], bias: values["image_dense/bias"] };
}

function withImageDense(values: MergeValues, { kernel, bias }: DenseWeights): MergeValues {
  return { ...values, "image_dense/kernel": kernel, "image_dense/bias": bias };
}

function changeDense(
  layer: DenseWeights,
  change: (weight: number, channel: number) => { weight: number; shift: number },
): DenseWeights {
  const units = layer.bias.length;
  const kernel = Float32Array.from(layer.kernel);
  const bias = Float64Array.from(layer.bias); // in float64, since it sums thousands
  for (const [place, value] of kernel.entries()) {
    const { weight, shift } = change(value, Math.floor(place / units));
    kernel[place] = weight;
    bias[place % units] = (bias[place % units] ?? 0) + shift;
  }
  return { kernel, bias: Float32Array.from(bias) };
}
