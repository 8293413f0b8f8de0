import { appendFile, type FileHandle, open, readFile, truncate } from "node:fs/promises";
import * as z from "zod";
import { describeFileError } from "./file-error.ts";

/** Which features: those of a photo with these bytes, or of its mirror image. */
export interface FeatureKey {
  sha256: string;
  isMirrored: boolean;
}

/** What all features of a store have in common. */
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

/**
 * Features on disk: `<path>.bin`, float32 [rows, featureSize], little-endian, and its index `<path>.jsonl`: the kind on
 * the first line, then a line a row. Rows are only ever added, the index after the values, so that a kill costs at most
 * what was being added.
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

  /** Opens the store at `path`, or makes it. One of another encoder is emptied: nothing in it is of use. */
  static async open(path: string, kind: FeatureKind): Promise<FeatureStore> {
    const known = await readIndex(path);
    if (known !== undefined && isOfKind(known, kind)) return FeatureStore.#resume(path, known);
    const values = await open(`${path}.bin`, "w+");
    const header = { formatVersion: 1, ...kind } satisfies z.infer<typeof headerSchema>;
    const index = await open(`${path}.jsonl`, "w");
    await index.writeFile(`${JSON.stringify(header)}\n`);
    await index.close();
    return new FeatureStore(path, { values, rows: new Map(), featureSize: kind.featureSize });
  }

  /** Opens a store that is there and of this kind, and else says what was expected. */
  static async openExisting(path: string, kind: FeatureKind): Promise<FeatureStore> {
    const known = await readIndex(path);
    if (known === undefined) throw new Error(`${path}.jsonl: expected an index of features, found none`);
    if (isOfKind(known, kind)) return FeatureStore.#resume(path, known);
    throw new Error(`${path}.jsonl: expected features of encoder ${kind.encoder}, found ${known.header.encoder}`);
  }

  /** Cuts off what a kill left half written: values without a line, a line without values. */
  static async #resume(path: string, { header, lines }: Index): Promise<FeatureStore> {
    const { featureSize } = header;
    const values = await open(`${path}.bin`, "r+");
    const { size } = await values.stat();
    const rows = Math.min(lines.length, Math.floor(size / (4 * featureSize)));
    if (size !== rows * 4 * featureSize) await values.truncate(rows * 4 * featureSize);
    const kept = lines.slice(0, rows);
    await truncate(`${path}.jsonl`, kept.at(-1)?.end ?? header.end);
    return new FeatureStore(path, { values, rows: new Map(kept.map(({ name }, row) => [name, row])), featureSize });
  }

  has(key: FeatureKey): boolean {
    return this.#rows.has(nameOf(key));
  }

  /** float32 [featureSize]. */
  async read(key: FeatureKey): Promise<Float32Array> {
    const row = this.#rows.get(nameOf(key));
    if (row === undefined) throw new Error(`${this.#path}.jsonl: expected features of photo ${key.sha256}, found none`);
    const features = new Float32Array(this.featureSize);
    const { bytesRead } = await this.#values.read(features, 0, features.byteLength, row * features.byteLength);
    if (bytesRead !== features.byteLength) throw new Error(`${this.#path}.bin: ends inside row ${row}`);
    return features;
  }

  /** Adds rows, float32 [keys, featureSize], and brings them to the disk. */
  async append(keys: readonly FeatureKey[], features: Float32Array): Promise<void> {
    const bytes = Buffer.from(features.buffer, features.byteOffset, features.byteLength);
    const first = this.#rows.size;
    try {
      await this.#values.write(bytes, 0, bytes.length, first * 4 * this.featureSize);
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

/** Rows one after the other. */
export function joinRows(rows: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(rows.reduce((length, row) => length + row.length, 0));
  let offset = 0;
  for (const row of rows) {
    joined.set(row, offset);
    offset += row.length;
  }
  return joined;
}

interface Opened {
  values: FileHandle;
  /** Row by name. */
  rows: Map<string, number>;
  featureSize: number;
}

/** `end` is where a line ends in the file, in bytes. */
interface Index {
  header: FeatureKind & { end: number };
  lines: { name: string; end: number }[];
}

/** An index up to its first line that is not whole; undefined where there is none of this format. */
async function readIndex(path: string): Promise<Index | undefined> {
  const text = await readFile(`${path}.jsonl`, "utf8").catch(() => "");
  const [first = "", ...others] = text.split("\n").slice(0, -1); // the last is empty, or was cut off
  const header = headerSchema.safeParse(parseJson(first));
  if (!header.success) return undefined;
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isOfKind({ header }: Index, { encoder, featureSize }: FeatureKind): boolean {
  return header.encoder === encoder && header.featureSize === featureSize;
}

function nameOf({ sha256, isMirrored }: FeatureKey): string {
  return isMirrored ? `${sha256} mirrored` : sha256;
}

function lineOf({ sha256, isMirrored }: FeatureKey): string {
  return `${JSON.stringify({ photo: sha256, ...(isMirrored ? { mirrored: true } : {}) })}\n`;
}
