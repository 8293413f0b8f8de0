import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { decodeLines, placeOf } from "../files/read-lines.ts";
import { openInput } from "../files/regular-file.ts";
import { quote } from "../shared/errors.ts";
import { paddingId } from "../shared/vocabulary.ts";

const gzipMagic = Buffer.of(0x1f, 0x8b);
const maxDimension = 10_000;

export interface WordVectors {
  dimension: number;
  /** float32 [words, dimension], row = word id; zeros for padding and for words that the file lacks. */
  vectors: Float32Array;
  /** Number of words that the file has. */
  found: number;
}

/**
 * Reads the vectors of a vocabulary's words from a text file in GloVe's format, `word 0.1 -0.2 …` per line, of any
 * dimension, gzip or not. Accepts word2vec's first line, `count dimension`. The first line of a word counts.
 */
export async function readWordVectors(path: string, words: readonly string[]): Promise<WordVectors> {
  const idOf = new Map(words.map((word, id) => [word, id]));
  idOf.delete(words[paddingId] ?? "");
  let read: WordVectors | undefined;
  for await (const { number, text } of decodeLines(await openText(path), { path, isLenient: true })) {
    const place = placeOf({ path, number });
    if (read === undefined) {
      const first = readFirstLine(text, { place });
      const { dimension } = first;
      read = { dimension, vectors: new Float32Array(words.length * dimension), found: 0 };
      if (first.isHeader) continue;
    }
    if (isWholeLine(text, { dimension: read.dimension, place }) && take(text, { idOf, into: read, place }))
      read.found += 1;
  }
  if (read === undefined) throw new Error(`${path}: expected word vectors, found an empty file`);
  return read;
}

/** Describes the vectors, like `1649 of 1653 words have a vector of 100 dimensions`. */
export function describeWordVectors({ found, dimension, vectors }: WordVectors): string {
  return `${found} of ${vectors.length / dimension - 1} words have a vector of ${dimension} dimensions`;
}

/** Opens the file's text, decompressed on the fly if its first bytes are gzip's. */
async function openText(path: string): Promise<AsyncIterable<Uint8Array>> {
  const file = await openInput(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    if (bytesRead < 2 || !buffer.equals(gzipMagic)) return createReadStream(path);
  } finally {
    await file.close();
  }
  return unpack(path);
}

async function* unpack(path: string): AsyncGenerator<Uint8Array> {
  const unpacked = pipeline(createReadStream(path), createGunzip(), () => {}); // the loop below sees the error
  try {
    yield* unpacked;
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause)) throw cause;
    if (cause.code === "Z_BUF_ERROR") throw new Error(`${path}: the gzip file is cut off, fetch it again`, { cause });
    if (cause.code === "Z_DATA_ERROR") throw new Error(`${path}: the gzip file is damaged, fetch it again`, { cause });
    throw cause;
  }
}

function readFirstLine(text: string, { place }: { place: string }): { dimension: number; isHeader: boolean } {
  const fields = text.split(" ");
  const isHeader = fields.length === 2 && fields.every((field) => /^\d+$/.test(field));
  const numbers = fields.slice(1).map(parseNumber);
  const dimension = isHeader ? (numbers[0] ?? 0) : numbers.length;
  if (dimension >= 1 && dimension <= maxDimension && numbers.every(Number.isFinite)) return { dimension, isHeader };
  throw new Error(`${place}: expected a word and its numbers, found ${quote(text)}`);
}

/** Whether a line is a word and its numbers. False for a term of several words, which some of GloVe's files contain. */
function isWholeLine(text: string, { dimension, place }: { dimension: number; place: string }): boolean {
  const numbers = countSpaces(text);
  if (numbers === dimension) return true;
  const excess = text.split(" ").slice(1, 1 + Math.max(0, numbers - dimension));
  if (excess.some((field) => Number.isNaN(parseNumber(field)))) return false;
  throw new Error(`${place}: expected ${dimension} numbers as on the first line, found ${numbers}`);
}

interface Target {
  /** Ids of the words whose line has not come yet. */
  idOf: Map<string, number>;
  into: WordVectors;
  place: string;
}

/** Stores a line's numbers if its word is wanted. Returns whether it was. */
function take(text: string, { idOf, into, place }: Target): boolean {
  const word = text.slice(0, text.indexOf(" ")).normalize("NFC"); // as cleaned words are
  const id = idOf.get(word);
  if (id === undefined) return false;
  idOf.delete(word); // a later line of the same word is ignored
  const fields = text.split(" ").slice(1);
  into.vectors.set(
    fields.map((field) => parseFinite(field, { place })),
    id * into.dimension,
  );
  return true;
}

function parseFinite(field: string, { place }: { place: string }): number {
  const number = Math.fround(parseNumber(field));
  if (Number.isFinite(number)) return number;
  throw new Error(`${place}: expected finite numbers, found ${quote(field)}`);
}

/** Parses a number; NaN for anything else, the empty text included. */
function parseNumber(field: string): number {
  return field === "" ? Number.NaN : Number(field);
}

/** Counts spaces without splitting, which would create a string per number for lines that are mostly not wanted. */
function countSpaces(text: string): number {
  let count = 0;
  for (let index = text.indexOf(" "); index >= 0; index = text.indexOf(" ", index + 1)) count += 1;
  return count;
}
