import * as z from "zod";
import { type Line, placeOf, readLines } from "../../files/read-lines.ts";
import { type Dataset, splits } from "../dataset.ts";
import { type CaptionEntry, collectPhotos } from "./caption-entry.ts";

const captionSchema = z.string().trim().min(1);

/** `{"image": "photos/1.jpg", "captions": ["…"], "split": "train"}`, as this stage's documentation has it. */
const ownSchema = z.strictObject({
  image: captionSchema,
  captions: z.array(captionSchema),
  split: z.enum(splits).optional(),
});

/** A line of `edge-caption caption --jsonl`; `corrected` is what a person made of the model's caption. */
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

/** Reads a file of JSON lines, each of them in a form of its own. */
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
  const value = parseJson(text, place);
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

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${place}: expected a JSON object, found something else`, { cause });
  }
}

function expectForm<Schema extends z.ZodType>(
  schema: Schema,
  { value, place }: { value: unknown; place: string },
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${place}: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(": ")}`, {
    cause: parsed.error,
  });
}
