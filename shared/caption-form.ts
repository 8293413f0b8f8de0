import type { CaptionOptions } from "./caption-options.ts";
import type { Candidate, CaptionResult } from "./contract.ts";
import { keywordsOf } from "./keywords.ts";
import { findNeutralChanges } from "./neutral-words.ts";
import { joinWords } from "./word-boundaries.ts";

/**
 * Tells a search's result in the form that was asked for: so many candidates, neutral words, sentences, keywords. What is
 * stored of a photo is the search's result, so that one run of the model answers every form.
 */
export function formResult(result: CaptionResult, options: CaptionOptions): CaptionResult {
  const { style, neutral, keywords } = options;
  const asked = result.candidates.slice(0, options.candidates);
  const worded = neutral ? withoutRepeats(asked.map(neutralCandidate)) : asked;
  const candidates =
    style === "sentence" ? worded.map((one) => ({ ...one, caption: toSentence(one.caption) })) : worded;
  return {
    ...result,
    caption: candidates[0]?.caption ?? result.caption,
    candidates,
    ...(keywords ? { keywords: keywordsOf(worded) } : {}),
    options,
  };
}

/** Of captions that neutral words made equal, the best is enough. */
function withoutRepeats(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(
    ({ caption }, index) => candidates.findIndex((earlier) => earlier.caption === caption) === index,
  );
}

/**
 * Replaces words that name people's sex. The words' probabilities still multiply to the caption's: a word in place of several
 * has the product of theirs.
 */
export function neutralCandidate(candidate: Candidate): Candidate {
  const spoken = candidate.words.filter(({ end }) => end === undefined);
  const changes = findNeutralChanges(spoken.map(({ word }) => word));
  if (changes.length === 0) return candidate;
  const words: Candidate["words"] = [];
  let owed = 1; // of words that are left out, for the next word
  const add = (word: Candidate["words"][number]) => {
    words.push({ ...word, probability: Number((word.probability * owed).toPrecision(6)) });
    owed = 1;
  };
  for (let at = 0; at < candidate.words.length; ) {
    const change = changes.find(({ first }) => first === at);
    const word = candidate.words[at];
    if (change === undefined) {
      if (word !== undefined) add(word);
      at += 1;
      continue;
    }
    const replaced = candidate.words.slice(at, at + change.count).map(({ probability }) => probability);
    for (const [index, replacement] of change.words.entries()) {
      const own = index === change.words.length - 1 ? replaced.slice(index) : replaced.slice(index, index + 1);
      add({ word: replacement, probability: productOf(own) });
    }
    if (change.words.length === 0) owed *= productOf(replaced);
    at += change.count;
  }
  const last = words.at(-1);
  if (last !== undefined) last.probability = Number((last.probability * owed).toPrecision(6));
  return { ...candidate, words, caption: joinWords(words.filter(({ end }) => !end).map(({ word }) => word)) };
}

function productOf(probabilities: readonly number[]): number {
  return probabilities.reduce((product, probability) => product * probability, 1);
}

/** What ends a sentence in scripts that have a sign of their own; Thai and Lao have none. The others use the full stop. */
const endings: readonly [script: RegExp, ending: string][] = [
  [/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}/u, "。"],
  [/\p{Script=Devanagari}|\p{Script=Bengali}|\p{Script=Oriya}|\p{Script=Gurmukhi}/u, "।"],
  [/[ٹڈڑںےہ]/u, "۔"], // letters of Urdu that Arabic and Persian lack
  [/\p{Script=Armenian}/u, "։"],
  [/\p{Script=Ethiopic}/u, "።"],
  [/\p{Script=Khmer}/u, "។"],
  [/\p{Script=Myanmar}/u, "။"],
  [/\p{Script=Tibetan}/u, "།"],
  [/\p{Script=Thai}|\p{Script=Lao}/u, ""],
];

/** Writes a caption as a sentence, with the capital and the full stop of its script. What has either already keeps it. */
export function toSentence(caption: string): string {
  if (!/[\p{L}\p{N}]/u.test(caption)) return caption;
  const [ending] = endings.flatMap(([script, sign]) => (script.test(caption) ? [sign] : []));
  const stop = /[\p{Sentence_Terminal}…]\p{P}*$/u.test(caption) ? "" : (ending ?? ".");
  return `${withCapital(caption)}${stop}`;
}

/** Georgian has capitals for headings alone, and a sentence begins without one. */
function withCapital(text: string): string {
  const [first = ""] = text;
  return /\p{Script=Georgian}/u.test(first) ? text : first.toUpperCase() + text.slice(first.length);
}
