import { basename, dirname, posix } from "node:path";
import * as z from "zod";
import { type CaptionedPhoto, type Dataset, type Split, splits } from "../dataset.ts";
import { digestFile } from "../output-file.ts";
import { type Line, placeOf, readLines } from "../read-lines.ts";

const entrySchema = z.strictObject({
  image: z.string().trim().min(1),
  captions: z.array(z.string().trim().min(1)),
  split: z.enum(splits).optional(),
});

type Entry = z.infer<typeof entrySchema>;

/**
 * Reads `{"image": "path relative to this file", "captions": ["…"], "split": "train"}`, one a line. A photo's id is its
 * path. Several lines may name one photo; its captions are then put together.
 */
export async function readJsonl(path: string): Promise<Dataset> {
  const { sha256 } = await digestFile(path); // first: a change while we read then counts as one
  const photos = new Map<string, CaptionedPhoto>();
  const duplicated = new Set<string>();
  const withoutCaptions = new Set<string>();
  let hasSplits: boolean | undefined;
  for await (const line of readLines(path)) {
    const { image, captions, split } = parseEntry(line, { path });
    hasSplits ??= split !== undefined;
    if (hasSplits !== (split !== undefined)) {
      const place = placeOf({ path, number: line.number });
      throw new Error(`${place}: expected a split on every line or on none, found ${hasSplits ? "none" : split}`);
    }
    const file = posix.normalize(image);
    const known = photos.get(file);
    if (known !== undefined) duplicated.add(file);
    if (known === undefined && captions.length === 0) withoutCaptions.add(file);
    else photos.set(file, joined(known, { file, captions, split }));
  }
  return {
    folder: dirname(path),
    sources: { [basename(path)]: sha256 },
    photos: [...photos.values()],
    hasSplits: hasSplits ?? false,
    findings: {
      duplicated: [...duplicated].map((file) => `${file} (on several lines)`),
      withoutCaptions: [...withoutCaptions].filter((file) => !photos.has(file)),
    },
  };
}

function parseEntry({ number, text }: Line, { path }: { path: string }): Entry {
  const place = placeOf({ path, number });
  const parsed = entrySchema.safeParse(parseJson(text, { place }));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${place}: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(": ")}`, {
    cause: parsed.error,
  });
}

function parseJson(text: string, { place }: { place: string }): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${place}: expected a JSON object, found something else`, { cause });
  }
}

interface NewLine {
  file: string;
  captions: readonly string[];
  split: Split | undefined;
}

function joined(known: CaptionedPhoto | undefined, { file, captions, split }: NewLine): CaptionedPhoto {
  return {
    id: file,
    file,
    splits: [...new Set([...(known?.splits ?? []), ...(split === undefined ? [] : [split])])],
    captions: [...(known?.captions ?? []), ...captions],
  };
}
