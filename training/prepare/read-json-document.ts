import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import * as z from "zod";
import type { Split } from "../dataset.ts";
import type { CaptionEntry } from "./caption-entry.ts";

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
      /** COCO's folder of the photo. */
      filepath: z.string().optional(),
      split: z.string(),
      sentences: z.array(z.object({ raw: z.string() })),
    }),
  ),
});

/** `restval` are COCO's validation photos that everybody trains on. */
const karpathySplits: ReadonlyMap<string, Split> = new Map([
  ["train", "train"],
  ["restval", "train"],
  ["val", "dev"],
  ["test", "test"],
]);

/** The entries of a JSON document in COCO's or Karpathy's form; undefined where it has neither. */
export async function readJsonDocument(path: string): Promise<CaptionEntry[] | undefined> {
  const json = parse(await readFile(path, "utf8"), path);
  if (hasKeys(json, ["images", "annotations"])) return cocoEntries(path, expectForm(cocoSchema, { json, path }));
  if (hasKeys(json, ["images"])) return karpathyEntries(path, expectForm(karpathySchema, { json, path }));
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

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path}: expected JSON, found something else or a part of it`, { cause });
  }
}

function hasKeys(json: unknown, keys: readonly string[]): boolean {
  return typeof json === "object" && json !== null && keys.every((key) => key in json);
}

function expectForm<Schema extends z.ZodType>(
  schema: Schema,
  { json, path }: { json: unknown; path: string },
): z.infer<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${path}: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(": ")}`);
}
