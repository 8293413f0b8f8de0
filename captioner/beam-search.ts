import type { SearchOptions } from "../shared/caption-options.ts";
import type { Repetition } from "../shared/manifest.ts";
import type { DecoderStep, Engine } from "./engine.ts";

export interface SearchSettings {
  /** Captions are ranked by (logProb + evidence − cost of repetitions) / (words + 1)^lengthPenalty. */
  lengthPenalty: number;
  /** Undefined: repeated words cost nothing. */
  repetition?: Repetition | undefined;
  /** Captions have no more words than this. */
  maxWords: number;
  /** Words after which a caption with a limit of its own goes on. */
  danglingIds?: ReadonlySet<number> | undefined;
  startId: number;
  endId: number;
}

/** A caption that the search found, or the beginning of one. */
export interface FoundCaption {
  /** Word ids without start and end. */
  words: readonly number[];
  /** Natural logarithm of each word's probability, then of the end's if the caption ended before the longest length. */
  wordLogProbs: readonly number[];
  /** The sum of `wordLogProbs`. */
  logProb: number;
  /**
   * The sum of its words' evidence: what the engine's scores have beside log-probabilities. 0 without word detectors. Evidence
   * for a word that was said already is no reason to say it again, and does not count.
   */
  evidence: number;
}

/** The beginning of a caption, with its row in the decoder's present state. */
interface Beam extends FoundCaption {
  row: number;
  /** The cost of its repetitions. */
  cost: number;
}

/**
 * Cost in nats of each word beyond a caption's own limit. At 3, a caption ends there if that is a twentieth as probable as one
 * more word; after "in the", where it is a thousandth, it goes on.
 */
const excessPenalty = 3;
/** Words beyond its own limit after which a caption is cut. */
const maxExcess = 3;
/** Within so many words of its limit, a caption that goes on is remembered as one that might have ended, too. */
const endingWindow = 3;
/** The end is looked for among this many next words: one that is rarer is no end. */
const wordsToFindEnd = 32;

/**
 * Beam search over any number of photos at once, each with its own width: each step runs the beams of all photos as
 * one matrix, and a beam that has ended is not replaced. Width 1 is greedy search. A limit of words (`maxWords` of the options)
 * is soft: the captions end soon after it, where the model itself would end a sentence.
 *
 * `features` is float32 [photos, featureSize], `options` has one entry per photo. Returns each photo's captions, best first.
 */
export async function searchCaptions(
  engine: Pick<Engine, "begin" | "step">,
  { features, options }: { features: Float32Array; options: readonly SearchOptions[] },
  settings: SearchSettings,
): Promise<FoundCaption[][]> {
  const costs = { penalty: settings.repetition?.penalty ?? 0, repeatable: new Set(settings.repetition?.except) };
  const searches = options.map(
    ({ beam, maxWords }, photo) => new PhotoSearch({ width: beam, row: photo, costs, limit: maxWords }, settings),
  );
  let state = await engine.begin(features, options.length);
  try {
    for (;;) {
      const beams = searches.flatMap(({ beams }) => beams);
      if (beams.length === 0) break;
      const parents = Int32Array.from(beams, ({ row }) => row);
      const words = Int32Array.from(beams, (beam) => beam.words.at(-1) ?? settings.startId);
      const count = Math.max(...searches.map((search) => search.wanted));
      const next = await engine.step(state, { parents, words, count });
      state.release();
      state = next.state;
      let row = 0;
      const columns = next.words.length / beams.length;
      for (const search of searches) row = search.advance(next, { row, columns });
    }
  } finally {
    state.release();
  }
  return searches.map((search, photo) => search.ranked().slice(0, options[photo]?.candidates));
}

/** A word that occurs again costs `penalty`, unless it is repeatable. */
interface RepetitionCosts {
  penalty: number;
  repeatable: ReadonlySet<number>;
}

interface PhotoSearchParts {
  width: number;
  row: number;
  costs: RepetitionCosts;
  /** The soft limit of words; undefined: none. */
  limit: number | undefined;
}

class PhotoSearch {
  beams: Beam[];
  readonly #ended: Omit<Beam, "row">[] = [];
  /** Captions near their limit that ended without being among the best then. */
  readonly #early: Omit<Beam, "row">[] = [];
  readonly #width: number;
  readonly #settings: SearchSettings;
  readonly #costs: RepetitionCosts;
  readonly #limit: number;
  readonly #longest: number;

  constructor({ width, row, costs, limit }: PhotoSearchParts, settings: SearchSettings) {
    this.beams = [{ words: [], wordLogProbs: [], logProb: 0, row, evidence: 0, cost: 0 }];
    this.#width = width;
    this.#settings = settings;
    this.#costs = costs;
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
    this.#longest = Math.min(settings.maxWords, this.#limit + maxExcess);
  }

  /** How many next words a beam of this photo may need: one for each open beam, after those that would cost. */
  get wanted(): number {
    if (this.beams.length === 0) return 0;
    const length = Math.max(...this.beams.map(({ words }) => words.length));
    return (
      this.#open + (this.#costs.penalty === 0 ? 0 : length) + (length < this.#limit - endingWindow ? 0 : wordsToFindEnd)
    );
  }

  get #open(): number {
    return this.#width - this.#ended.length;
  }

  /** Extends the beams by one word. Their rows of the step begin at `row`; returns the row after the last. */
  advance(step: Omit<DecoderStep, "state">, { row, columns }: { row: number; columns: number }): number {
    const { endId } = this.#settings;
    const width = this.#open;
    const candidates = Math.min(this.wanted, columns);
    const extended = this.beams.flatMap((beam, index) =>
      Array.from({ length: candidates }, (_, rank) => {
        const place = (row + index) * columns + rank;
        const word = step.words[place] ?? endId;
        const logProb = step.logProbabilities[place] ?? Number.NEGATIVE_INFINITY;
        const found = logProb > Number.NEGATIVE_INFINITY ? (step.scores[place] ?? 0) - logProb : 0;
        const isRepeated = this.#isRepeated(word, beam.words);
        const evidence = isRepeated ? Math.min(0, found) : found;
        const cost = (isRepeated ? this.#costs.penalty : 0) + this.#excessCost(word, beam.words);
        return extend(beam, { word, logProb, evidence, row: row + index, cost });
      }),
    );
    const next = row + this.beams.length;
    const worth = ({ logProb, evidence, cost }: Beam) => logProb + evidence - cost;
    const allowed = extended.filter(({ words }) => !this.#endsBadly(words));
    allowed.sort((one, other) => worth(other) - worth(one));
    const kept = allowed.slice(0, width);
    this.beams = [];
    for (const beam of allowed.slice(width)) {
      const { row: _, words, ...others } = beam;
      const isNearLimit = words.length > this.#limit - endingWindow && words.at(-1) === endId;
      if (isNearLimit) this.#early.push({ ...others, words: words.slice(0, -1) });
    }
    for (const beam of kept) {
      const { row: _, words, ...others } = beam;
      if (words.at(-1) === endId) this.#ended.push({ ...others, words: words.slice(0, -1) });
      else if (words.length === this.#longest) this.#ended.push({ ...others, ...this.#cut({ words, ...others }) });
      else this.beams.push(beam);
    }
    return next;
  }

  ranked(): FoundCaption[] {
    const { lengthPenalty } = this.#settings;
    const rank = ({ logProb, evidence, cost, words }: Omit<Beam, "row">) =>
      (logProb + evidence - cost) / (words.length + 1) ** lengthPenalty;
    const inOrder = [...this.#ended, ...this.#early]
      .sort((one, other) => rank(other) - rank(one))
      .slice(0, this.#width);
    return inOrder.map(({ words, wordLogProbs, logProb, evidence }) => ({ words, wordLogProbs, logProb, evidence }));
  }

  #isRepeated(word: number, before: readonly number[]): boolean {
    const { penalty, repeatable } = this.#costs;
    return penalty > 0 && before.includes(word) && !repeatable.has(word);
  }

  #excessCost(word: number, before: readonly number[]): number {
    return before.length >= this.#limit && word !== this.#settings.endId ? excessPenalty : 0;
  }

  /** Whether a caption with a limit would end with words like "in the". */
  #endsBadly(words: readonly number[]): boolean {
    return words.at(-1) === this.#settings.endId && this.#isDangling(words.at(-2));
  }

  /** Takes the words that end no sentence from a caption with a limit. */
  #cut({ words, wordLogProbs, logProb }: FoundCaption): Pick<FoundCaption, "words" | "wordLogProbs" | "logProb"> {
    const last = words.findLastIndex((word) => !this.#isDangling(word));
    if (last === -1 || last === words.length - 1) return { words, wordLogProbs, logProb };
    const kept = wordLogProbs.slice(0, last + 1);
    return { words: words.slice(0, last + 1), wordLogProbs: kept, logProb: kept.reduce((sum, one) => sum + one, 0) };
  }

  #isDangling(word: number | undefined): boolean {
    const { danglingIds } = this.#settings;
    return Number.isFinite(this.#limit) && word !== undefined && danglingIds?.has(word) === true;
  }
}

interface NextWord extends Pick<Beam, "logProb" | "evidence" | "cost" | "row"> {
  word: number;
}

function extend(beam: Beam, { word, logProb, evidence, row, cost }: NextWord): Beam {
  return {
    words: [...beam.words, word],
    wordLogProbs: [...beam.wordLogProbs, logProb],
    logProb: beam.logProb + logProb,
    evidence: beam.evidence + evidence,
    cost: beam.cost + cost,
    row,
  };
}
