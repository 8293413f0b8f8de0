import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import * as z from "zod";
import { type Line, placeOf, readLines } from "../../files/read-lines.ts";
import { type Dataset, type Split, splits } from "../dataset.ts";
import { expectForm, parseJsonLine } from "../parse-json-line.ts";
import { type CaptionEntry, collectPhotos } from "./caption-entry.ts";

const captionSchema = z.string().trim().min(1);

/** The native form, `{"image": "photos/1.jpg", "captions": ["…"], "split": "train"}`, as documented. */
const ownSchema = z.strictObject({
  image: captionSchema,
  captions: z.array(captionSchema),
  split: z.enum(splits).optional(),
});

/** A line of `edge-caption caption --jsonl`; `corrected` is a person's correction of the model's caption. */
const captionedSchema = z.object({
  path: captionSchema,
  corrected: z.string().optional(),
  result: z.object({ caption: z.string() }),
});

const captionsSchema = z.union([z.string().transform((caption) => [caption]), z.array(z.string())]);

/** A line of Hugging Face's `metadata.jsonl`. */
const metadataSchema = z.object({
  file_name: captionSchema,
  text: captionsSchema.optional(),
  caption: captionsSchema.optional(),
  captions: captionsSchema.optional(),
});

/** Reads a file of JSON lines, each in any of these forms. */
export function readJsonl(path: string, { images = [] }: { images?: readonly string[] } = {}): Promise<Dataset> {
  return collectPhotos({ path, images, entries: readEntries(path), isEntryPerPhoto: true });
}

async function* readEntries(path: string): AsyncGenerator<CaptionEntry> {
  for await (const line of readLines(path)) {
    const place = placeOf({ path, number: line.number });
    const entry = parseEntry(line, place);
    if (entry !== undefined) yield { ...entry, place };
  }
}

function parseEntry({ text }: Line, place: string): Omit<CaptionEntry, "place"> | undefined {
  const value = parseJsonLine(text, place);
  if (hasKey(value, "path")) {
    if (hasKey(value, "error")) return undefined; // a photo that could not be captioned
    const { path, corrected, result } = expectForm(captionedSchema, { value, place });
    return { names: [path], captions: trimmed(corrected ?? result.caption) };
  }
  if (hasKey(value, "file_name")) {
    const { file_name, ...captions } = expectForm(metadataSchema, { value, place });
    return { names: [file_name], captions: Object.values(captions).flatMap((some) => (some ?? []).flatMap(trimmed)) };
  }
  const { image, captions, split } = expectForm(ownSchema, { value, place });
  return { names: [image], captions, split };
}

function hasKey(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && key in value;
}

function trimmed(caption: string): string[] {
  return caption.trim() === "" ? [] : [caption.trim()];
}

/** COCO's `captions_*.json` (Chen et al. 2015). */
const cocoSchema = z.object({
  images: z.array(z.object({ id: z.union([z.number(), z.string()]), file_name: z.string().min(1) })),
  annotations: z.array(z.object({ image_id: z.union([z.number(), z.string()]), caption: z.string() })),
});

/** Karpathy's `dataset_*.json` (Karpathy and Fei-Fei 2015), with splits for Flickr8k, Flickr30k and COCO. */
const karpathySchema = z.object({
  images: z.array(
    z.object({
      filename: z.string().min(1),
      /** Folder of the photo in COCO. */
      filepath: z.string().optional(),
      split: z.string(),
      sentences: z.array(z.object({ raw: z.string() })),
    }),
  ),
});

/** Karpathy's splits; `restval` are COCO's validation photos that are customarily trained on. */
const karpathySplits: ReadonlyMap<string, Split> = new Map([
  ["train", "train"],
  ["restval", "train"],
  ["val", "dev"],
  ["test", "test"],
]);

/** Reads the entries of a JSON document in COCO's or Karpathy's form; undefined if it has neither. */
export async function readJsonDocument(path: string): Promise<CaptionEntry[] | undefined> {
  const json = parseDocument(await readFile(path, "utf8"), path);
  if (hasKeys(json, ["images", "annotations"]))
    return cocoEntries(path, expectForm(cocoSchema, { value: json, place: path }));
  if (hasKeys(json, ["images"])) return karpathyEntries(path, expectForm(karpathySchema, { value: json, place: path }));
  return undefined;
}

function cocoEntries(path: string, { images, annotations }: z.infer<typeof cocoSchema>): CaptionEntry[] {
  const captionsOf = new Map<string, string[]>(images.map(({ id }) => [String(id), []]));
  for (const [index, { image_id, caption }] of annotations.entries()) {
    const captions = captionsOf.get(String(image_id));
    if (captions === undefined) {
      throw new Error(`${path}: expected image ${image_id} of annotation ${index + 1} among its images, found none`);
    }
    if (caption.trim() !== "") captions.push(caption.trim());
  }
  return images.map(({ id, file_name }) => ({
    names: [file_name],
    captions: captionsOf.get(String(id)) ?? [],
    place: `${path}, image ${id}`,
  }));
}

function karpathyEntries(path: string, { images }: z.infer<typeof karpathySchema>): CaptionEntry[] {
  return images.map(({ filename, filepath, split: name, sentences }) => {
    const split = karpathySplits.get(name);
    const place = `${path}, image ${filename}`;
    if (split === undefined) {
      throw new Error(
        `${place}: expected one of the splits ${[...karpathySplits.keys()].join(", ")}, found ${JSON.stringify(name)}`,
      );
    }
    const names = filepath === undefined ? [filename] : [posix.join(filepath, filename), filename];
    return { names, captions: sentences.map(({ raw }) => raw.trim()).filter((raw) => raw !== ""), split, place };
  });
}

function parseDocument(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path}: expected JSON, found something else or a part of it`, { cause });
  }
}

function hasKeys(json: unknown, keys: readonly string[]): boolean {
  return typeof json === "object" && json !== null && keys.every((key) => key in json);
}
