import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { readLines } from "../files/read-lines.ts";
import { cleanings, dropReasons } from "../shared/clean-caption.ts";
import { parseVocabulary, type Vocabulary } from "../shared/vocabulary.ts";
import { splits } from "./dataset.ts";
import { stageFolder, type TrainRequest } from "./stage.ts";

export const preparedFiles = {
  /** `vocabularySchema` of `shared/`: words in id order; id 0 is padding, words count from 1. */
  vocabulary: "vocabulary.json",
  /** `preparedPhotoSchema`, one per line, in the order of the captions in the data. */
  captions: "captions.jsonl",
  /** `summarySchema`. */
  summary: "summary.json",
} as const;

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** A photo that exists, has captions and belongs to one split. */
const preparedPhotoSchema = z.strictObject({
  id: z.string(),
  /** Path relative to `Prepared.photoFolder`. */
  file: z.string(),
  /** SHA-256 of the photo's bytes when `prepare` read them. */
  sha256: sha256Schema,
  split: z.enum(splits),
  /** Name of the data set that it comes from; set if there are several. */
  dataset: z.string().optional(),
  /** Weight of its captions in training; 1 by default. */
  weight: z.number().positive().optional(),
  /** Set if its captions are pseudo-captions: sentences that were chosen for it, not written for it. */
  hasPseudoCaptions: z.literal(true).optional(),
  captions: z.array(
    z.strictObject({
      /** The caption as written, for scoring. */
      text: z.string(),
      /**
       * Cleaned words without start and end word; may be empty. Includes unknown words, which `Vocabulary.encode`
       * leaves out.
       */
      words: z.array(z.string()),
    }),
  ),
});

export type PreparedPhoto = z.infer<typeof preparedPhotoSchema>;

const countSchema = z.int().nonnegative();

/** Figures and oddities that `prepare` found. Words are counted as distinct words. */
export const summarySchema = z.strictObject({
  cleaning: z.enum(cleanings),
  minCount: z.int().positive(),
  /** Photos with captions, whether they exist and are used or not. */
  photos: countSchema,
  /** Words in all of their captions, after cleaning. */
  words: countSchema,
  trainingPhotos: countSchema,
  trainingCaptions: countSchema,
  /** Words of the training captions, start and end word included, as in `keptWords`. */
  trainingWords: countSchema,
  keptWords: countSchema,
  /** Number of ids, padding included. */
  vocabularySize: countSchema,
  /** Words of the longest training caption, start and end included. */
  longestCaption: countSchema,
  /** Training captions of which cleaning leaves nothing. */
  emptyCaptions: countSchema,
  /**
   * What cleaning dropped from the captions of all splits, by reason: the number of captions, and each word with its
   * count.
   */
  dropped: z
    .array(
      z.strictObject({
        reason: z.enum(dropReasons),
        captions: countSchema,
        words: z.array(z.strictObject({ word: z.string(), times: countSchema })),
      }),
    )
    .default([]), // earlier versions of `prepare` did not count them
  devPhotos: countSchema,
  testPhotos: countSchema,
  /** Whether the data have splits; otherwise a tenth was set aside as dev. */
  hasSplits: z.boolean(),
  findings: z.strictObject({
    missing: z.array(z.string()),
    unusable: z.array(z.string()),
    duplicated: z.array(z.string()),
    inTwoSplits: z.array(z.string()),
    withoutCaptions: z.array(z.string()),
    inNoSplit: z.array(z.string()),
    wordless: z.array(z.string()).default([]),
  }),
  /** SHA-256 of the files of captions and splits, by name. */
  sources: z.record(z.string(), sha256Schema),
});

export type Summary = z.infer<typeof summarySchema>;

export interface Prepared {
  /** Folder of the first `--data`, which photos' paths are relative to. */
  photoFolder: string;
  vocabulary: Vocabulary;
  photos: PreparedPhoto[];
  summary: Summary;
}

/** Groups photos by data set, in their order; under the empty name if there is only one. */
export function groupByDataset<Photo extends Pick<PreparedPhoto, "dataset">>(
  photos: readonly Photo[],
): Map<string, Photo[]> {
  const groups = new Map<string, Photo[]>();
  for (const photo of photos) {
    const own = groups.get(photo.dataset ?? "");
    if (own === undefined) groups.set(photo.dataset ?? "", [photo]);
    else own.push(photo);
  }
  return groups;
}

/** Reads what `prepare` wrote. */
export async function readPrepared({ data, out }: Pick<TrainRequest, "data" | "out">): Promise<Prepared> {
  const folder = stageFolder({ out }, "prepare");
  const [first] = data;
  const photos: PreparedPhoto[] = [];
  for await (const { text } of readLines(join(folder, preparedFiles.captions))) {
    photos.push(preparedPhotoSchema.parse(JSON.parse(text)));
  }
  return {
    photoFolder: first === undefined ? stageFolder({ out }, "sentences") : await folderOf(first.path),
    vocabulary: parseVocabulary(await readJson(join(folder, preparedFiles.vocabulary))),
    photos,
    summary: await readSummary({ out }),
  };
}

/** Reads the summary that `prepare` wrote. */
export async function readSummary({ out }: Pick<TrainRequest, "out">): Promise<Summary> {
  return summarySchema.parse(await readJson(join(stageFolder({ out }, "prepare"), preparedFiles.summary)));
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}

/** Returns the folder of a data source: itself, or its file's. */
async function folderOf(path: string): Promise<string> {
  return (await stat(path)).isDirectory() ? path : dirname(path);
}
