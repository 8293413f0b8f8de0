import type { Layer, LayersModel } from "./layers-model.ts";

/** A merge decoder in its two halves, each in an order that can be run. */
export interface SplitDecoder {
  /** Depends on the photo alone: done once a photo. */
  contextLayers: readonly Layer[];
  /** Depends on the words: done for each. Its last layer gives the logits, its softmax taken off. */
  stepLayers: readonly Layer[];
  /** Names of the context's layers that the step reads. */
  handedOver: ReadonlySet<string>;
}

/** Divides a decoder into what the photo alone decides and what each word changes. */
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
    handedOver: new Set(stepLayers.flatMap(({ inputs }) => inputs).filter((name) => !dependsOnWords.has(name))),
  };
}

/** The words enter where an embedding reads; the photo's features are the other input. */
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

/** The softmax of the last layer is left to a logarithmic one, which keeps small probabilities apart. */
function withoutSoftmax(layer: Layer): Layer {
  if (layer.class !== "Dense" || layer.config.activation !== "softmax") {
    throw new Error(`expected the decoder to end in a Dense layer with softmax, found ${layer.name} (${layer.class})`);
  }
  return { ...layer, config: { ...layer.config, activation: "linear" } };
}
