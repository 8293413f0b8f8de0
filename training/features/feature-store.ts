import { appendFile, type FileHandle, open, readFile, truncate, writeFile } from "node:fs/promises";
import * as z from "zod";
import { joinRows } from "../../captioner/vectors.ts";
import { describeFileError } from "../../files/file-error.ts";

/** A key of features: those of a photo with these bytes, or of its mirror image. */
export interface FeatureKey {
  sha256: string;
  isMirrored: boolean;
}

/** What all features of a store share. */
export interface FeatureKind {
  /** Revision of the encoder and its preprocessing. */
  encoder: string;
  featureSize: number;
}

const headerSchema = z.strictObject({
  formatVersion: z.literal(1),
  encoder: z.string(),
  featureSize: z.int().positive(),
});
const rowSchema = z.strictObject({ photo: z.string(), mirrored: z.literal(true).optional() });

/** Rows that `readInBatches` reads at once. */
const rowsRead = 64;

/**
 * Features on disk: `<path>.bin`, float32 [rows, featureSize], little-endian, and its index `<path>.jsonl`: the kind on
 * the first line, then one line per row. Rows are only ever added, the index after the values, so that a kill costs at
 * most the rows being added. Only one process may add at a time; see `files/lock-file.ts`.
 */
export class FeatureStore {
  readonly featureSize: number;
  readonly #path: string;
  readonly #values: FileHandle;
  readonly #rows: Map<string, number>;

  private constructor(path: string, { values, rows, featureSize }: Opened) {
    this.#path = path;
    this.#values = values;
    this.#rows = rows;
    this.featureSize = featureSize;
  }

  /** Opens the store at `path` for adding, or creates it. A row that a kill left half written is cut off. */
  static async open(path: string, kind: FeatureKind): Promise<FeatureStore> {
    const known = await readIndex(path);
    if (known !== undefined) expectKind(path, { known, kind });
    const index = known ?? (await createIndex(path, kind));
    const values = await open(`${path}.bin`, known === undefined ? "w+" : "r+");
    const kept = await wholeLines(index, values);
    const bytes = kept.length * 4 * kind.featureSize;
    if ((await values.stat()).size !== bytes) await values.truncate(bytes);
    await truncate(`${path}.jsonl`, kept.at(-1)?.end ?? index.header.end);
    return new FeatureStore(path, { values, rows: rowsOf(kept), featureSize: kind.featureSize });
  }

  /** Opens a store for reading its whole rows. Throws a sentence if there is none of this kind. */
  static async openToRead(path: string, kind: FeatureKind): Promise<FeatureStore> {
    const known = await readIndex(path);
    if (known === undefined) throw new Error(`${path}.jsonl: expected an index of features, found none`);
    expectKind(path, { known, kind });
    const values = await open(`${path}.bin`, "r");
    return new FeatureStore(path, {
      values,
      rows: rowsOf(await wholeLines(known, values)),
      featureSize: kind.featureSize,
    });
  }

  has(key: FeatureKey): boolean {
    return this.#rows.has(nameOf(key));
  }

  /** Reads one row: float32 [featureSize]. */
  async read(key: FeatureKey): Promise<Float32Array> {
    const row = this.#rows.get(nameOf(key));
    if (row === undefined) {
      const what = key.isMirrored ? "of the mirror image of photo" : "of photo";
      throw new Error(
        `${this.#path}.jsonl: expected features ${what} ${key.sha256}, found none: run the stage features with the same flags`,
      );
    }
    const features = new Float32Array(this.featureSize);
    const { bytesRead } = await this.#values.read(features, 0, features.byteLength, row * features.byteLength);
    if (bytesRead !== features.byteLength) throw new Error(`${this.#path}.bin: ends inside row ${row}`);
    return features;
  }

  /** Appends rows, float32 [keys, featureSize], and flushes them to disk. */
  async append(keys: readonly FeatureKey[], features: Float32Array): Promise<void> {
    const first = this.#rows.size;
    try {
      await writeValues(this.#values, features, first * 4 * this.featureSize);
      await this.#values.sync();
      await appendFile(`${this.#path}.jsonl`, keys.map(lineOf).join(""), { flush: true });
    } catch (cause) {
      const sentence = describeFileError(cause, { path: `${this.#path}.bin` });
      throw sentence === undefined ? cause : new Error(sentence, { cause });
    }
    for (const [index, key] of keys.entries()) this.#rows.set(nameOf(key), first + index);
  }

  close(): Promise<void> {
    return this.#values.close();
  }
}

/** Writes all values: a disk that fills up may accept only part of a write without an error. */
async function writeValues(file: FileHandle, values: Float32Array, position: number): Promise<void> {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** Yields stored features of photos in their order, in batches: float32 [photos, featureSize]. */
export async function* readInBatches<Photo extends FeatureKey>(
  store: FeatureStore,
  photos: readonly Photo[],
): AsyncGenerator<{ features: Float32Array; photos: Photo[] }> {
  for (let from = 0; from < photos.length; from += rowsRead) {
    const some = photos.slice(from, from + rowsRead);
    yield { features: joinRows(await Promise.all(some.map((photo) => store.read(photo)))), photos: some };
  }
}

interface Opened {
  values: FileHandle;
  /** Row numbers by name. */
  rows: Map<string, number>;
  featureSize: number;
}

/** The parsed index. `end` is the byte offset at which a line ends. */
interface Index {
  header: FeatureKind & { end: number };
  lines: { name: string; end: number }[];
}

async function createIndex(path: string, kind: FeatureKind): Promise<Index> {
  const line = `${JSON.stringify({ formatVersion: 1, ...kind } satisfies z.infer<typeof headerSchema>)}\n`;
  await writeFile(`${path}.jsonl`, line, { flush: true });
  return { header: { ...kind, end: line.length }, lines: [] };
}

/** Reads an index up to its first incomplete line; undefined if there is none. */
async function readIndex(path: string): Promise<Index | undefined> {
  const text = await readFile(`${path}.jsonl`, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const [first, ...others] = text.split("\n").slice(0, -1); // the last is empty, or was cut off
  if (first === undefined) return undefined;
  const header = headerSchema.safeParse(parseJson(first));
  if (!header.success) throw new Error(`${path}.jsonl: expected an index of features, found another file: delete it`);
  let end = first.length + 1; // all of it is ASCII
  const index: Index = { header: { ...header.data, end }, lines: [] };
  for (const line of others) {
    const row = rowSchema.safeParse(parseJson(line));
    if (!row.success) break;
    end += line.length + 1;
    index.lines.push({ name: nameOf({ sha256: row.data.photo, isMirrored: row.data.mirrored ?? false }), end });
  }
  return index;
}

/** Keeps the rows whose values are complete. */
async function wholeLines({ header, lines }: Index, values: FileHandle): Promise<Index["lines"]> {
  const { size } = await values.stat();
  return lines.slice(0, Math.floor(size / (4 * header.featureSize)));
}

function rowsOf(lines: Index["lines"]): Map<string, number> {
  return new Map(lines.map(({ name }, row) => [name, row]));
}

function expectKind(path: string, { known, kind }: { known: Index; kind: FeatureKind }): void {
  const { encoder, featureSize } = known.header;
  if (encoder === kind.encoder && featureSize === kind.featureSize) return;
  throw new Error(`${path}.jsonl: expected features of encoder ${kind.encoder}, found ${encoder}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function nameOf({ sha256, isMirrored }: FeatureKey): string {
  return isMirrored ? `${sha256} mirrored` : sha256;
}

function lineOf({ sha256, isMirrored }: FeatureKey): string {
  return `${JSON.stringify({ photo: sha256, ...(isMirrored ? { mirrored: true } : {}) })}\n`;
}
