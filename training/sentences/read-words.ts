import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import * as z from "zod";
import { placeOf, readLines } from "../../files/read-lines.ts";
import { cleanCaption } from "../../shared/clean-caption.ts";
import type { LabelledWord } from "./sentence-index.ts";

/** A photo that has no captions, with the words that somebody or something gave it. */
export interface WordedPhoto {
  /** Absolute. */
  file: string;
  /** Probabilities by word, in (0, 1]. */
  words: ReadonlyMap<string, number>;
}

/** Photos of one labeller. */
export interface LabelledPhotos {
  photos: WordedPhoto[];
  /** What the labeller can say. */
  known: ReadonlyMap<string, LabelledWord>;
}

/** Of a word that was given without a probability: somebody was sure of it. */
const givenProbability = 0.9;

/**
 * Of labellers that do not tell: a word that they gave to some photos is not in the others, or they would have said so.
 * Whoever writes keywords does not write all that could be said.
 */
export const usualLabel: LabelledWord = { prior: 0.2, floor: -1 };

/** What stands between the levels of a keyword like `Animals|Dog`, and between the words of others. */
const wordSeparators = /[|/\\_,;:<>]+/g;

const wordsSchema = z.union([
  z.record(z.string(), z.number().gt(0).max(1)),
  z.array(z.string()).transform((words) => Object.fromEntries(words.map((word) => [word, givenProbability]))),
]);
const lineSchema = z.strictObject({ image: z.string().trim().min(1), words: wordsSchema });

const knownWordsFile = "known-words.tsv";
const knownSchema = z.tuple([z.string().min(1), z.coerce.number().gt(0).max(1), z.coerce.number().negative()]);

/**
 * Reads `{"image": "photos/1.jpg", "words": {"pizza": 0.94}}` or `"words": ["pizza"]`, one a line; paths are relative to the
 * file. `known-words.tsv` beside it lists what the labeller can say: word, prior, floor. Without it, that is all it ever said.
 */
export async function readWords(path: string): Promise<LabelledPhotos> {
  const photos: WordedPhoto[] = [];
  for await (const { number, text } of readLines(path)) {
    const place = placeOf({ path, number });
    const parsed = lineSchema.safeParse(parseJson(text, place));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new Error(`${place}: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(": ")}`);
    }
    const { image, words } = parsed.data;
    photos.push({ file: resolve(dirname(path), image), words: singleWords(words) });
  }
  if (photos.length === 0) throw new Error(`${path}: expected photos with words, found none`);
  return { photos, known: (await readKnown(join(dirname(path), knownWordsFile))) ?? everyWordOf(photos) };
}

/** The lists of what labellers can say, of those files of words that have one. */
export function knownWordsBeside(paths: readonly string[]): string[] {
  return paths.map((path) => join(dirname(path), knownWordsFile)).filter((path) => existsSync(path));
}

/** All words that some photo has, as its labeller's vocabulary. */
export function everyWordOf(photos: readonly WordedPhoto[]): Map<string, LabelledWord> {
  return new Map(photos.flatMap(({ words }) => [...words.keys()].map((word) => [word, usualLabel] as const)));
}

/** Words of a keyword like "Golden Retriever", each of them as probable as the whole. */
export function singleWords(words: Readonly<Record<string, number>>): Map<string, number> {
  const single = new Map<string, number>();
  for (const [keyword, probability] of Object.entries(words)) {
    for (const word of cleanCaption(keyword.replace(wordSeparators, " "), "natural")) {
      single.set(word, Math.max(probability, single.get(word) ?? 0));
    }
  }
  return single;
}

async function readKnown(path: string): Promise<Map<string, LabelledWord> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const known = new Map<string, LabelledWord>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (index === 0 || line.trim() === "") continue; // the heading
    const parsed = knownSchema.safeParse(line.split("\t"));
    if (!parsed.success) {
      throw new Error(
        `${placeOf({ path, number: index + 1 })}: expected a word, its prior and its floor below 0, found ${JSON.stringify(line)}`,
      );
    }
    const [word, prior, floor] = parsed.data;
    known.set(word, { prior, floor });
  }
  return known;
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${place}: expected a JSON object, found something else`, { cause });
  }
}
