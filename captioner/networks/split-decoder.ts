import type { Layer, LayersModel } from "./layers-model.ts";

/** A merge decoder in its two halves, each in an order in which it can run. */
export interface SplitDecoder {
  /** Layers that depend on the photo alone: they run once per photo. */
  contextLayers: readonly Layer[];
  /** Layers that depend on the words: they run for each word. The last returns logits: its softmax is removed. */
  stepLayers: readonly Layer[];
  /** Names of the context's layers that the step reads. */
  contextOutputs: ReadonlySet<string>;
}

/** Splits a decoder into the layers that run once per photo and those that run for each word. */
export function splitDecoder(model: LayersModel): SplitDecoder {
  const dependsOnWords = new Set([wordsInput(model)]);
  for (const { name, inputs } of model.layers) {
    if (inputs.some((input) => dependsOnWords.has(input))) dependsOnWords.add(name);
  }
  if (!dependsOnWords.has(model.output)) throw new Error(`the output ${model.output} does not depend on the words`);
  const stepLayers = model.layers.filter(({ name }) => dependsOnWords.has(name));
  return {
    contextLayers: model.layers.filter(({ name }) => !dependsOnWords.has(name)),
    stepLayers: stepLayers.map((layer) => (layer.name === model.output ? withoutSoftmax(layer) : layer)),
    contextOutputs: new Set(stepLayers.flatMap(({ inputs }) => inputs).filter((name) => !dependsOnWords.has(name))),
  };
}

/** The input that an embedding reads, which is the words'; the other is the photo's features. */
function wordsInput(model: LayersModel): string {
  const inputs = model.layers.filter((layer) => layer.class === "InputLayer").map(({ name }) => name);
  const embedded = new Set(
    model.layers.filter((layer) => layer.class === "Embedding").flatMap((layer) => layer.inputs),
  );
  const [words, ...others] = inputs.filter((name) => embedded.has(name));
  if (inputs.length !== 2 || words === undefined || others.length > 0) {
    throw new Error(
      `expected a decoder with one input of words and one of features, found inputs ${inputs.join(", ")}`,
    );
  }
  return words;
}

/** Removes the softmax of the last layer: engines apply a log-softmax instead, which keeps small probabilities apart. */
function withoutSoftmax(layer: Layer): Layer {
  if (layer.class !== "Dense" || layer.config.activation !== "softmax") {
    throw new Error(`expected the decoder to end in a Dense layer with softmax, found ${layer.name} (${layer.class})`);
  }
  return { ...layer, config: { ...layer.config, activation: "linear" } };
}
