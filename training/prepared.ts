import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { readLines } from "../files/read-lines.ts";
import { cleanings, dropReasons } from "../shared/clean-caption.ts";
import { parseVocabulary, type Vocabulary } from "../shared/vocabulary.ts";
import { splits } from "./dataset.ts";
import { stageFolder, type TrainContext } from "./stage.ts";
import { readOutputs } from "./stage-record.ts";

export const preparedFiles = {
  /** `vocabularySchema` of `shared/`: words in id order, id 0 is padding, real words count from 1. */
  vocabulary: "vocabulary.json",
  /** `preparedPhotoSchema`, one a line, in the order of the captions in the data. */
  captions: "captions.jsonl",
  /** `summarySchema`. */
  summary: "summary.json",
} as const;

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** A photo that is there, has captions and belongs to one split. */
export const preparedPhotoSchema = z.strictObject({
  id: z.string(),
  /** Relative to `Prepared.photoFolder`. */
  file: z.string(),
  /** Of the photo's bytes when they were read. */
  sha256: sha256Schema,
  split: z.enum(splits),
  /** The data set that it comes from, where there are several. */
  dataset: z.string().optional(),
  /** What its captions count beside those of others; 1 where it is left out. */
  weight: z.number().positive().optional(),
  /** Nobody wrote its captions for it: they are sentences that were chosen for it. */
  hasPseudoCaptions: z.literal(true).optional(),
  captions: z.array(
    z.strictObject({
      /** As it was written, for scoring. */
      text: z.string(),
      /** Cleaned, without start and end word; unknown words are in it, `Vocabulary.encode` leaves them out. May be empty. */
      words: z.array(z.string()),
    }),
  ),
});

export type PreparedPhoto = z.infer<typeof preparedPhotoSchema>;

const countSchema = z.int().nonnegative();

/** What `prepare` counted, and what it found odd. Words are counted as different words. */
export const summarySchema = z.strictObject({
  cleaning: z.enum(cleanings),
  minCount: z.int().positive(),
  /** Photos that the data have captions for, whether they are there and used or not. */
  photos: countSchema,
  /** In all captions of those, after cleaning. */
  words: countSchema,
  trainingPhotos: countSchema,
  trainingCaptions: countSchema,
  /** Start and end word included, as in the next. */
  trainingWords: countSchema,
  keptWords: countSchema,
  /** With padding: the number of ids. */
  vocabularySize: countSchema,
  /** Words of the longest training caption, start and end included. */
  longestCaption: countSchema,
  /** Training captions of which cleaning left nothing. */
  emptyCaptions: countSchema,
  /** What cleaning left out of the captions of all splits, by reason: of how many captions, and which words how often. */
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
  /** Whether the data said which photo is for what; otherwise a tenth was set aside as dev. */
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
  /** SHA-256 of the files with the captions and splits, by name. */
  sources: z.record(z.string(), sha256Schema),
});

export type Summary = z.infer<typeof summarySchema>;

export interface Prepared {
  /** Where the first `--data` is, which the photos' paths are relative to. */
  photoFolder: string;
  vocabulary: Vocabulary;
  photos: PreparedPhoto[];
  summary: Summary;
}

/** Photos by the data set that they come from, each in their order; by the empty name where there is one alone. */
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

/** Reads what `prepare` wrote. Throws a sentence where that is not whole. */
export async function readPrepared({ data, out }: Pick<TrainContext, "data" | "out">): Promise<Prepared> {
  const folder = stageFolder({ out }, "prepare");
  const [first] = data;
  await readOutputs(folder, "prepare");
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

/** The counts of what `prepare` wrote. */
export async function readSummary({ out }: Pick<TrainContext, "out">): Promise<Summary> {
  return summarySchema.parse(await readJson(join(stageFolder({ out }, "prepare"), preparedFiles.summary)));
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}

/** Of a place of captions: itself, or where its file is. */
async function folderOf(path: string): Promise<string> {
  return (await stat(path)).isDirectory() ? path : dirname(path);
}
