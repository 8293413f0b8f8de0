import { type FoldedLayers, foldableConvolutions } from "./convolution-weights.ts";
import type { Layer, LayersModel } from "./layers-model.ts";

/** An engine's operations for an encoder's layers, on values like names in a graph or tensors. */
export interface EncoderOperations<Value> {
  /** Runs a convolution, with the batch normalisation after it if that can be folded in. */
  convolve(input: Value, layers: FoldedLayers): Value;
  /** Runs any other layer. */
  apply(layer: Layer, inputs: readonly Value[]): Value;
  /** Called for a value that no later layer reads. */
  dispose?(value: Value): void;
}

/** Runs an encoder's layers, whatever they are, on the pixels. Returns the output layer's value. */
export function walkEncoder<Value>(model: LayersModel, pixels: Value, operations: EncoderOperations<Value>): Value {
  const values = new Map<string, Value>();
  const outputOf = (name: string): Value => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`layer ${name} is read before it is computed`);
    return value;
  };
  const steps = encoderSteps(model);
  const lastReader = new Map(steps.flatMap((step) => step.inputs.map((input) => [input, step])));
  for (const step of steps) {
    const inputs = step.inputs.map(outputOf);
    values.set(step.name, runStep(step, { inputs, pixels, operations }));
    for (const name of new Set(step.inputs)) if (lastReader.get(name) === step) operations.dispose?.(outputOf(name));
  }
  return outputOf(model.output);
}

interface EncoderStep {
  /** The layer whose value this step computes. */
  name: string;
  inputs: readonly string[];
  work: Layer | FoldedLayers;
}

function encoderSteps(model: LayersModel): EncoderStep[] {
  const convolutionBefore = foldableConvolutions(model);
  const folded = new Set<Layer>(convolutionBefore.values());
  return model.layers.flatMap((layer): EncoderStep[] => {
    const { name, inputs } = layer;
    if (folded.has(layer)) return []; // runs with the batch normalisation after it
    if (layer.class === "Conv2D") return [{ name, inputs, work: { convolution: layer, normalization: undefined } }];
    const convolution = convolutionBefore.get(layer);
    if (layer.class !== "BatchNormalization" || convolution === undefined) return [{ name, inputs, work: layer }];
    return [{ name, inputs: convolution.inputs, work: { convolution, normalization: layer } }];
  });
}

function runStep<Value>(
  { name, work }: EncoderStep,
  { inputs, pixels, operations }: { inputs: readonly Value[]; pixels: Value; operations: EncoderOperations<Value> },
): Value {
  if (!("convolution" in work)) return work.class === "InputLayer" ? pixels : operations.apply(work, inputs);
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) throw new Error(`layer ${name}: expected a convolution of one input`);
  return operations.convolve(input, work);
}
