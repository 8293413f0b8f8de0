import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import * as z from "zod";
import { placeOf, readLines } from "../../files/read-lines.ts";
import { cleanCaption } from "../../shared/clean-caption.ts";
import { expectForm, parseJsonLine } from "../parse-json-line.ts";
import type { LabelledWord } from "./sentence-index.ts";

/** A photo without captions, with the words that a labeller gave it. */
export interface WordedPhoto {
  /** Absolute path. */
  file: string;
  /** Probabilities by word, in (0, 1]. */
  words: ReadonlyMap<string, number>;
}

/** Photos of one labeller. */
export interface LabelledPhotos {
  photos: WordedPhoto[];
  /** Words that the labeller can give. */
  known: ReadonlyMap<string, LabelledWord>;
}

/** Probability of a word that was given without one: the labeller was sure of it. */
const givenProbability = 0.9;

/**
 * Prior and floor for labellers that state none: a word that they gave to some photos is probably absent from the
 * others. Evidence of absence is limited, since people who write keywords do not write everything.
 */
const usualLabel: LabelledWord = { prior: 0.2, floor: -1 };

/** Separators between the levels of a keyword like `Animals|Dog`, and between the words of others. */
const wordSeparators = /[|/\\_,;:<>]+/g;

const wordsSchema = z.union([
  z.record(z.string(), z.number().gt(0).max(1)),
  z.array(z.string()).transform((words) => Object.fromEntries(words.map((word) => [word, givenProbability]))),
]);
const lineSchema = z.strictObject({ image: z.string().trim().min(1), words: wordsSchema });

const knownWordsFile = "known-words.tsv";
const knownSchema = z.tuple([z.string().min(1), z.coerce.number().gt(0).max(1), z.coerce.number().negative()]);

/**
 * Reads `{"image": "photos/1.jpg", "words": {"pizza": 0.94}}` or `"words": ["pizza"]`, one per line; paths are relative
 * to the file. `known-words.tsv` beside it lists the words that the labeller can give: word, prior, floor. Without it,
 * those are all the words it gave.
 */
export async function readWords(path: string): Promise<LabelledPhotos> {
  const photos: WordedPhoto[] = [];
  for await (const { number, text } of readLines(path)) {
    const place = placeOf({ path, number });
    const { image, words } = expectForm(lineSchema, { value: parseJsonLine(text, place), place });
    photos.push({ file: resolve(dirname(path), image), words: singleWords(words) });
  }
  if (photos.length === 0) throw new Error(`${path}: expected photos with words, found none`);
  return { photos, known: (await readKnown(join(dirname(path), knownWordsFile))) ?? everyWordOf(photos) };
}

/** Returns the paths of the lists of known words beside these files, if they exist. */
export function knownWordsBeside(paths: readonly string[]): string[] {
  return paths.map((path) => join(dirname(path), knownWordsFile)).filter((path) => existsSync(path));
}

/** Takes all words that some photo has as the labeller's vocabulary. */
export function everyWordOf(photos: readonly WordedPhoto[]): Map<string, LabelledWord> {
  return new Map(photos.flatMap(({ words }) => [...words.keys()].map((word) => [word, usualLabel] as const)));
}

/** Splits keywords like "Golden Retriever" into words, each as probable as the whole. */
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
