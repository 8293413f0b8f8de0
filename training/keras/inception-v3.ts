import { input, type LayersModel, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";

/**
 * Filters, rows and columns of a convolution's kernel. `cut` keeps the kernel inside the picture (no padding); `half`
 * does so, too, with a stride of 2, which halves the picture.
 */
type Convolution = readonly [filters: number, rows: number, columns: number, border?: "cut" | "half"];

/** Consecutive convolutions. */
type Branch = readonly Convolution[];

/**
 * InceptionV3 (Szegedy et al. 2015) as `keras.applications.inception_v3` defines it, with its layers' names and their
 * order: float32 [n, 299, 299, 3], RGB in [-1, 1], → features [n, 2048], the global average of `mixed10`; with the
 * classifier, probabilities [n, 1000]. 312 layers and 21 802 784 parameters, or 313 and 23 851 784, all zero or one.
 * Caller disposes it.
 */
export function inceptionV3({ hasClassifier }: { hasClassifier: boolean }): LayersModel {
  const builder = new Builder();
  const pixels = input({ shape: [299, 299, 3], name: "input_layer" });
  const mixed10 = inceptionBlocks(builder, stem(builder, pixels)); // [n, 8, 8, 2048]
  const name = hasClassifier ? "avg_pool" : "global_average_pooling2d";
  const features = apply(layers.globalAveragePooling2d({ name }), mixed10); // [n, 2048]
  const classifier = { units: 1000, activation: "softmax", name: "predictions" } as const;
  const outputs = hasClassifier
    ? apply(layers.dense({ ...classifier, kernelInitializer: "zeros" }), features)
    : features;
  return model({ inputs: pixels, outputs, name: "inception_v3" });
}

function stem(builder: Builder, pixels: SymbolicTensor): SymbolicTensor {
  const wide = builder.branch(pixels, [
    [32, 3, 3, "half"],
    [32, 3, 3, "cut"],
    [64, 3, 3],
  ]);
  const narrow = builder.branch(builder.maxPool(wide), [
    [80, 1, 1, "cut"],
    [192, 3, 3, "cut"],
  ]);
  return builder.maxPool(narrow); // [n, 35, 35, 192]
}

function inceptionBlocks(builder: Builder, from: SymbolicTensor): SymbolicTensor {
  let mixed = from;
  for (const [index, pooled] of [32, 64, 64].entries()) mixed = fine(builder, mixed, { pooled, name: `mixed${index}` });
  mixed = toMedium(builder, mixed);
  for (const [index, width] of [128, 160, 160, 192].entries()) {
    mixed = medium(builder, mixed, { width, name: `mixed${4 + index}` });
  }
  mixed = toCoarse(builder, mixed);
  for (const index of [0, 1]) mixed = coarse(builder, mixed, index);
  return mixed;
}

/** [n, 35, 35, channels] → [n, 35, 35, 224 + pooled]. */
function fine(builder: Builder, from: SymbolicTensor, { pooled, name }: { pooled: number; name: string }) {
  const branches: Branch[] = [
    [[64, 1, 1]],
    [
      [48, 1, 1],
      [64, 5, 5],
    ],
    [
      [64, 1, 1],
      [96, 3, 3],
      [96, 3, 3],
    ],
  ];
  const made = branches.map((branch) => builder.branch(from, branch));
  return builder.concatenate([...made, builder.branch(builder.averagePool(from), [[pooled, 1, 1]])], name);
}

/** [n, 35, 35, 288] → [n, 17, 17, 768]. */
function toMedium(builder: Builder, from: SymbolicTensor): SymbolicTensor {
  const branches: Branch[] = [
    [[384, 3, 3, "half"]],
    [
      [64, 1, 1],
      [96, 3, 3],
      [96, 3, 3, "half"],
    ],
  ];
  const made = branches.map((branch) => builder.branch(from, branch));
  return builder.concatenate([...made, builder.maxPool(from)], "mixed3");
}

/** [n, 17, 17, 768] → the same, by kernels of one row or one column. */
function medium(builder: Builder, from: SymbolicTensor, { width, name }: { width: number; name: string }) {
  const branches: Branch[] = [
    [[192, 1, 1]],
    [
      [width, 1, 1],
      [width, 1, 7],
      [192, 7, 1],
    ],
    [
      [width, 1, 1],
      [width, 7, 1],
      [width, 1, 7],
      [width, 7, 1],
      [192, 1, 7],
    ],
  ];
  const made = branches.map((branch) => builder.branch(from, branch));
  return builder.concatenate([...made, builder.branch(builder.averagePool(from), [[192, 1, 1]])], name);
}

/** [n, 17, 17, 768] → [n, 8, 8, 1280]. */
function toCoarse(builder: Builder, from: SymbolicTensor): SymbolicTensor {
  const branches: Branch[] = [
    [
      [192, 1, 1],
      [320, 3, 3, "half"],
    ],
    [
      [192, 1, 1],
      [192, 1, 7],
      [192, 7, 1],
      [192, 3, 3, "half"],
    ],
  ];
  const made = branches.map((branch) => builder.branch(from, branch));
  return builder.concatenate([...made, builder.maxPool(from)], "mixed8");
}

/** [n, 8, 8, channels] → [n, 8, 8, 2048]; two of its branches fork again. */
function coarse(builder: Builder, from: SymbolicTensor, index: number): SymbolicTensor {
  const narrow = builder.branch(from, [[320, 1, 1]]);
  const forked = builder.fork(builder.branch(from, [[384, 1, 1]]), `mixed9_${index}`);
  const deep = builder.branch(from, [
    [448, 1, 1],
    [384, 3, 3],
  ]);
  const deepForked = builder.fork(deep);
  const pooled = builder.branch(builder.averagePool(from), [[192, 1, 1]]);
  return builder.concatenate([narrow, forked, deepForked, pooled], `mixed${9 + index}`);
}

/** Builds layers named as Keras names them: by kind, numbered in the order in which they are made. */
class Builder {
  readonly #counts = new Map<string, number>();

  branch(from: SymbolicTensor, convolutions: Branch): SymbolicTensor {
    return convolutions.reduce((value, convolution) => this.#convolve(value, convolution), from);
  }

  /** Applies a 1×3 and a 3×1 convolution side by side. */
  fork(from: SymbolicTensor, name?: string): SymbolicTensor {
    const sides = [this.branch(from, [[384, 1, 3]]), this.branch(from, [[384, 3, 1]])];
    return this.concatenate(sides, name ?? this.#nameOf("concatenate"));
  }

  maxPool(from: SymbolicTensor): SymbolicTensor {
    return apply(layers.maxPooling2d({ poolSize: 3, strides: 2, name: this.#nameOf("max_pooling2d") }), from);
  }

  averagePool(from: SymbolicTensor): SymbolicTensor {
    const name = this.#nameOf("average_pooling2d");
    return apply(layers.averagePooling2d({ poolSize: 3, strides: 1, padding: "same", name }), from);
  }

  concatenate(branches: SymbolicTensor[], name: string): SymbolicTensor {
    return layers.concatenate({ axis: 3, name }).apply(branches) as SymbolicTensor; // one output for several inputs
  }

  #convolve(from: SymbolicTensor, [filters, rows, columns, border]: Convolution): SymbolicTensor {
    const kernel = { filters, kernelSize: [rows, columns], strides: border === "half" ? 2 : 1, useBias: false };
    const padding = border === undefined ? "same" : "valid";
    const named = { name: this.#nameOf("conv2d"), kernelInitializer: "zeros" } as const; // weights come from elsewhere
    const convolved = apply(layers.conv2d({ ...kernel, padding, ...named }), from);
    const normalization = { axis: 3, scale: false, epsilon: 1e-3, name: this.#nameOf("batch_normalization") };
    const normalized = apply(layers.batchNormalization(normalization), convolved);
    return apply(layers.activation({ activation: "relu", name: this.#nameOf("activation") }), normalized);
  }

  #nameOf(kind: string): string {
    const count = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, count + 1);
    return count === 0 ? kind : `${kind}_${count}`;
  }
}

type ApplicableLayer = Pick<ReturnType<typeof layers.dense>, "apply">;

function apply(layer: ApplicableLayer, from: SymbolicTensor): SymbolicTensor {
  return layer.apply(from) as SymbolicTensor; // one in, one out
}
