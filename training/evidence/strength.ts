import type { Vocabulary } from "../../shared/vocabulary.ts";
import { conceptsOf } from "./choose-concepts.ts";
import type { Detectors } from "./detector-files.ts";
import type { Dense, EvidenceNetwork } from "./evidence-network.ts";

/**
 * From a detector's logit to the evidence of its word, in nats: it rises from `least` at the logit `from` to `most` at the
 * logit `to`, and is constant outside. A network of two dense layers can compute it.
 */
interface Ramp {
  from: number;
  to: number;
  least: number;
  most: number;
}

/**
 * Both approximate log((p + 0.02) / prior), at most 1.5, for a detector's probability p. For a reliable detector the prior is
 * 0.2, and absence counts as much as presence; for others 0.12, and absence counts 1 at most. Priors and bounds were chosen
 * by CIDEr on `everyday-dev` and Flickr8k's dev.
 */
const reliable: Ramp = { from: -5.3, to: 0.5, least: -2.2, most: 1.5 };
const unreliable: Ramp = { from: -3.7, to: -0.1, least: -1, most: 1.5 };

/** Makes the network in which each detected concept gives its words evidence, times `strength`. */
export function evidenceOf(
  detectors: Detectors,
  { vocabulary, strength }: { vocabulary: Vocabulary; strength: number },
): EvidenceNetwork {
  const { concepts } = detectors;
  const ramps = concepts.map(({ isReliable }) => (isReliable ? reliable : unreliable));
  return {
    featureSize: detectors.kernel.length / concepts.length,
    concepts: concepts.length,
    vocabularySize: vocabulary.size,
    detectors: toHardSigmoid(detectors, ramps),
    words: wordLayer(
      concepts.map(({ concept }) => concept),
      { ramps, vocabulary, strength },
    ),
  };
}

/** Changes the logits so that Keras' hard sigmoid, 0.2 x + 0.5 within [0, 1], rises where the ramps do. */
function toHardSigmoid({ kernel, bias }: Dense, ramps: readonly Ramp[]): Dense {
  const slopes = ramps.map(({ from, to }) => 5 / (to - from));
  return {
    kernel: kernel.map((weight, place) => weight * (slopes[place % slopes.length] ?? 1)),
    bias: bias.map((value, concept) => (slopes[concept] ?? 1) * (value - (ramps[concept]?.from ?? 0)) - 2.5),
  };
}

function wordLayer(
  concepts: readonly string[],
  { ramps, vocabulary, strength }: { ramps: readonly Ramp[]; vocabulary: Vocabulary; strength: number },
): Dense {
  const { size } = vocabulary;
  const kernel = new Float32Array(concepts.length * size);
  const bias = new Float32Array(size);
  const indexOf = new Map(concepts.map((concept, index) => [concept, index]));
  for (const [word, concept] of conceptsOf(vocabulary)) {
    const [index, id] = [indexOf.get(concept), vocabulary.idOf(word)];
    const ramp = index === undefined ? undefined : ramps[index];
    if (index === undefined || id === undefined || ramp === undefined) continue;
    kernel[index * size + id] = strength * (ramp.most - ramp.least);
    bias[id] = strength * ramp.least;
  }
  return { kernel, bias };
}
