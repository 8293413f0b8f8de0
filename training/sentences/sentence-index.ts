import { contentWords } from "../../shared/content-words.ts";

/** A sentence of the text, as written and cleaned. */
export interface Sentence {
  text: string;
  words: readonly string[];
}

/** How to weigh the presence or absence of a word that the labeller knows. */
export interface LabelledWord {
  /** Probability of the word in an average photo, in (0, 1]. */
  prior: number;
  /** Lower limit of the word's evidence, below 0. */
  floor: number;
}

export interface ScoredSentence {
  /** Index of the sentence in the index. */
  sentence: number;
  /** How well its words fit the photo's. */
  score: number;
  /** Mean cosine to the other candidates, in [0, 1]. */
  agreement: number;
}

/**
 * Limits of a sentence's length: shorter ones say too little, longer ones say things that are particular to one photo.
 */
const fewestWords = 5;
const mostWords = 14;
/** Evidence of a content word that the labeller does not know. */
const unknownEvidence = -0.45;
/** Keeps the evidence of an absent word finite. */
const leastProbability = 0.02;
/** Below 1, so that of two sentences that fit equally well the one that says more wins. */
const lengthPower = 0.65;
/** Number of best sentences that are compared with each other. */
const candidates = 60;
/** Weight of full agreement relative to the score of the words. */
const agreementWeight = 20;

/**
 * Sentences of a text, chosen for photos by the words that a labeller gave them. The score of a sentence is Σ idf(w) ·
 * s(w) / max(2, n)^0.65 over its n distinct content words, where s(w) = max(log((p(w) + 0.02) / prior(w)), floor(w))
 * for words that the labeller knows. Of the 60 best, those that agree most with the others win, since words that
 * several sentences share are likelier to be true than words in only one.
 */
export class SentenceIndex {
  readonly sentences: readonly Sentence[];
  readonly #known: ReadonlyMap<string, LabelledWord>;
  /** Weight of each content word, and the sentences that contain it. */
  readonly #postings: ReadonlyMap<string, { idf: number; sentences: Int32Array }>;
  /** float32 [sentences]: the score for a photo without words, and the factor of each word's evidence. */
  readonly #base: Float32Array;
  readonly #share: Float32Array;
  readonly #ngrams: NgramVectors;
  readonly #scores: Float32Array;

  /** Indexes sentences, without those that are too short, too long, or repeat another's words. */
  constructor(text: Iterable<Sentence>, known: ReadonlyMap<string, LabelledWord>) {
    this.sentences = distinct(text);
    this.#known = known;
    const content = this.sentences.map(({ words }) => [...new Set(contentWords(words))]);
    this.#postings = postingsOf(content);
    this.#share = Float32Array.from(content, ({ length }) => 1 / Math.max(2, length) ** lengthPower);
    const evidence = new Map([...this.#postings].map(([word, { idf }]) => [word, idf * this.#evidenceOf(word, 0)]));
    this.#base = Float32Array.from(
      content,
      (words, index) => sum(words.map((word) => evidence.get(word) ?? 0)) * (this.#share[index] ?? 0),
    );
    this.#ngrams = new NgramVectors(this.sentences.map(({ words }) => words));
    this.#scores = new Float32Array(this.sentences.length);
  }

  /** Whether some sentence contains a word. */
  has(word: string): boolean {
    return this.#postings.has(word);
  }

  /**
   * Chooses the best sentences for a photo, at most `count`, best first. `words` are the probabilities of its words, in
   * (0, 1].
   */
  choose(words: ReadonlyMap<string, number>, count: number): ScoredSentence[] {
    this.#scores.set(this.#base);
    for (const [word, probability] of words) {
      const posting = this.#postings.get(word);
      if (posting === undefined) continue;
      const gain = posting.idf * (this.#evidenceOf(word, probability) - this.#evidenceOf(word, 0));
      for (const sentence of posting.sentences) {
        this.#scores[sentence] = (this.#scores[sentence] ?? 0) + gain * (this.#share[sentence] ?? 0);
      }
    }
    const best = highest(this.#scores, candidates);
    const agreements = this.#ngrams.agreementOf(best);
    return best
      .map((sentence, index) => ({
        sentence,
        score: this.#scores[sentence] ?? 0,
        agreement: agreements[index] ?? 0,
      }))
      .toSorted((one, other) => totalOf(other) - totalOf(one))
      .slice(0, count);
  }

  #evidenceOf(word: string, probability: number): number {
    const known = this.#known.get(word);
    if (known === undefined) return unknownEvidence;
    return Math.max(Math.log((probability + leastProbability) / known.prior), known.floor);
  }
}

function totalOf({ score, agreement }: ScoredSentence): number {
  return score + agreementWeight * agreement;
}

function distinct(text: Iterable<Sentence>): Sentence[] {
  const byWords = new Map<string, Sentence>();
  for (const sentence of text) {
    const { length } = sentence.words;
    const key = sentence.words.join(" ");
    if (length >= fewestWords && length <= mostWords && !byWords.has(key)) byWords.set(key, sentence);
  }
  return [...byWords.values()];
}

function postingsOf(content: readonly (readonly string[])[]): Map<string, { idf: number; sentences: Int32Array }> {
  const sentencesOf = new Map<string, number[]>();
  for (const [sentence, words] of content.entries()) {
    for (const word of words) {
      const own = sentencesOf.get(word);
      if (own === undefined) sentencesOf.set(word, [sentence]);
      else own.push(sentence);
    }
  }
  const idfOf = (count: number) => Math.min(1.6, Math.max(0.5, Math.log(content.length / (1 + count)) / 6));
  return new Map(
    [...sentencesOf].map(([word, sentences]) => [
      word,
      { idf: idfOf(sentences.length), sentences: Int32Array.from(sentences) },
    ]),
  );
}

/** Returns the indices of the highest values, highest first, ties in order. */
function highest(values: Float32Array, count: number): number[] {
  const found: number[] = [];
  let least = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    if (found.length === count && value <= least) continue;
    let place = found.length;
    while (place > 0 && value > (values[found[place - 1] ?? 0] ?? 0)) place -= 1;
    found.splice(place, 0, index);
    if (found.length > count) found.pop();
    if (found.length === count) least = values[found[count - 1] ?? 0] ?? 0;
  }
  return found;
}

/** Sentences as unit vectors of tf-idf over their words and pairs of words, start and end included. */
class NgramVectors {
  /** Start of each sentence's n-grams in the two arrays below. int32 [sentences + 1]. */
  readonly #begins: Int32Array;
  readonly #ids: Int32Array;
  readonly #weights: Float32Array;
  /** float32 [n-grams], all 0 between calls. */
  readonly #sums: Float32Array;

  constructor(sentences: readonly (readonly string[])[]) {
    const idOf = new Map<string, number>();
    const counted = sentences.map((words) => countIndexedNgrams(words, idOf));
    const documents = new Int32Array(idOf.size);
    for (const counts of counted) for (const id of counts.keys()) documents[id] = (documents[id] ?? 0) + 1;
    this.#begins = new Int32Array(sentences.length + 1);
    for (const [index, { size }] of counted.entries()) this.#begins[index + 1] = (this.#begins[index] ?? 0) + size;
    this.#ids = new Int32Array(this.#begins.at(-1) ?? 0);
    this.#weights = new Float32Array(this.#ids.length);
    for (const [index, counts] of counted.entries()) {
      const weights = [...counts].map(
        ([id, count]) => count * Math.log((1 + sentences.length) / (1 + (documents[id] ?? 0))),
      );
      const length = Math.sqrt(sum(weights.map((weight) => weight * weight))) || 1;
      this.#ids.set([...counts.keys()], this.#begins[index]);
      this.#weights.set(
        weights.map((weight) => weight / length),
        this.#begins[index],
      );
    }
    this.#sums = new Float32Array(idOf.size);
  }

  /** Computes the mean cosine of each of these sentences to the others. */
  agreementOf(sentences: readonly number[]): number[] {
    for (const sentence of sentences) {
      this.#each(sentence, (id, weight) => {
        this.#sums[id] = (this.#sums[id] ?? 0) + weight;
      });
    }
    const agreements = sentences.map((sentence) => {
      let product = 0; // with the sum of all, itself included, which contributes 1
      this.#each(sentence, (id, weight) => {
        product += weight * (this.#sums[id] ?? 0);
      });
      return sentences.length < 2 ? 0 : Math.max(0, product - 1) / (sentences.length - 1);
    });
    for (const sentence of sentences) {
      this.#each(sentence, (id) => {
        this.#sums[id] = 0;
      });
    }
    return agreements;
  }

  #each(sentence: number, visit: (id: number, weight: number) => void): void {
    const end = this.#begins[sentence + 1] ?? 0;
    for (let place = this.#begins[sentence] ?? 0; place < end; place++) {
      visit(this.#ids[place] ?? 0, this.#weights[place] ?? 0);
    }
  }
}

function countIndexedNgrams(words: readonly string[], idOf: Map<string, number>): Map<number, number> {
  const bounded = ["<s>", ...words, "</s>"];
  const counts = new Map<number, number>();
  const count = (ngram: string) => {
    const id = idOf.get(ngram) ?? idOf.size;
    if (id === idOf.size) idOf.set(ngram, id);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  };
  for (const word of words) count(word);
  for (let index = 1; index < bounded.length; index++) count(`${bounded[index - 1]} ${bounded[index]}`);
  return counts;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
