import * as z from "zod";
import { joinWords } from "./join-words.ts";

export const paddingId = 0;
const startWord = "startseq";
export const endWord = "endseq";

/** `vocabulary.json` of a model bundle: words in id order. Id 0 is padding and has the empty string in its place. */
export const vocabularySchema = z
  .array(z.string())
  .min(3)
  .superRefine((words, context) => {
    const complain = (message: string) => context.addIssue({ code: "custom", message });
    if (words[paddingId] !== "")
      complain(`expected an empty string, the padding, at id 0, found "${words[paddingId]}"`);
    for (const special of [startWord, endWord]) {
      if (!words.includes(special)) complain(`expected the word "${special}", found none`);
    }
    const idOfWord = new Map<string, number>();
    for (const [id, word] of words.entries()) {
      const firstId = idOfWord.get(word);
      if (firstId !== undefined) complain(`expected each word once, found "${word}" at ids ${firstId} and ${id}`);
      else idOfWord.set(word, id);
    }
  });

/** Reads what `vocabulary.json` holds. Throws an error that says everything that is wrong with it. */
export function parseVocabulary(json: unknown): Vocabulary {
  const parsed = vocabularySchema.safeParse(json);
  if (!parsed.success) throw new Error(`the vocabulary is not valid: ${z.prettifyError(parsed.error)}`);
  return new Vocabulary(parsed.data);
}

interface VocabularySource {
  minCount: number;
  /** Whose words come first, with the ids they have, however often they are seen. */
  known?: Vocabulary | undefined;
}

/**
 * The vocabulary of cleaned training captions: the words seen at least `minCount` times, start and end word among them,
 * with ids from 1 in order of first appearance.
 */
export function buildVocabulary(
  captions: Iterable<readonly string[]>,
  { minCount, known }: VocabularySource,
): Vocabulary {
  const counts = new Map<string, number>();
  for (const caption of captions) {
    for (const word of [startWord, ...caption, endWord]) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const kept = [...counts].filter(([, count]) => count >= minCount).map(([word]) => word);
  if (known === undefined) return parseVocabulary(["", ...kept]);
  return parseVocabulary([...known.words, ...kept.filter((word) => known.idOf(word) === undefined)]);
}

/** Words and their ids, both ways. Made by `parseVocabulary` or `buildVocabulary`, which check the words. */
export class Vocabulary {
  readonly words: readonly string[];
  readonly size: number;
  readonly startId: number;
  readonly endId: number;
  readonly #ids: ReadonlyMap<string, number>;

  constructor(words: z.infer<typeof vocabularySchema>) {
    this.words = words;
    this.size = words.length;
    this.startId = words.indexOf(startWord);
    this.endId = words.indexOf(endWord);
    this.#ids = new Map(words.map((word, id) => [word, id]));
  }

  /** The id of a word, or undefined for a word that is not in the vocabulary. */
  idOf(word: string): number | undefined {
    return this.#ids.get(word);
  }

  /** Ids of a cleaned caption between start and end; words that are not in the vocabulary are left out. */
  encode(words: readonly string[]): number[] {
    const ids = words.map((word) => this.idOf(word)).filter((id) => id !== undefined);
    return [this.startId, ...ids, this.endId];
  }

  /** The caption's text, without padding, start and end. Throws for an id beyond the vocabulary. */
  decode(ids: readonly number[]): string {
    return joinWords(this.wordsOf(ids));
  }

  /** The caption's words, without padding, start and end. Throws for an id beyond the vocabulary. */
  wordsOf(ids: readonly number[]): string[] {
    const special = [paddingId, this.startId, this.endId];
    return ids.filter((id) => !special.includes(id)).map((id) => this.#wordOf(id));
  }

  #wordOf(id: number): string {
    const word = this.words[id];
    if (word === undefined) throw new Error(`expected word ids below ${this.size}, received ${id}`);
    return word;
  }
}
