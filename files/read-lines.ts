import { TextDecoder } from "node:util";
import { describeFileError, isMissing } from "./file-error.ts";
import { openInput, openRegularFile, UnfitFile } from "./regular-file.ts";

const newline = 0x0a;
const maxLineBytes = 4 * 2 ** 20;

interface Splitting {
  /** What messages call the text. */
  path: string;
  /** The byte that ends a line. */
  separator?: number;
}

/** Splits bytes into lines, each with its separator, which the last one may lack. Throws a sentence for an endless line. */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  { path, separator = newline }: Splitting,
): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(separator, rest.length); end >= 0; end = bytes.indexOf(separator, start)) {
      yield bytes.subarray(start, end + 1);
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > maxLineBytes) throw new Error(`${path}: expected a text file, found a line of over 4 MiB`);
  }
  if (rest.length > 0) yield rest;
}

/** A line of text that is not empty, without white space at its end. Numbers count from 1, empty lines included. */
export interface Line {
  number: number;
  text: string;
}

/** Reads a UTF-8 file line by line, with or without byte order mark, with the ends of lines of any system. */
export async function* readLines(path: string): AsyncGenerator<Line> {
  yield* decodeLines((await openInput(path)).createReadStream(), { path });
}

/**
 * Reads lines of UTF-8 from bytes. Other bytes become U+FFFD if `isLenient` is given, and are an error otherwise. Only
 * "\n" ends a line: word vectors have words of U+0085 and U+2028, where others see an end too.
 */
export async function* decodeLines(
  chunks: AsyncIterable<Uint8Array>,
  { path, isLenient = false }: { path: string; isLenient?: boolean },
): AsyncGenerator<Line> {
  const decoder = new TextDecoder("utf-8", { fatal: !isLenient });
  let number = 0;
  for await (const bytes of splitLines(chunks, { path })) {
    number += 1;
    const text = decode(bytes, { decoder, place: placeOf({ path, number }) }).trimEnd();
    if (text !== "") yield { number, text };
  }
}

/** Says where a line is, for messages. */
export function placeOf({ path, number }: { path: string; number: number }): string {
  return `${path}, line ${number}`;
}

function decode(bytes: Uint8Array, { decoder, place }: { decoder: TextDecoder; place: string }): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new Error(`${place}: expected UTF-8, found invalid bytes`, { cause });
  }
}

/** A line of a file of JSON lines, and where in the file it is: in bytes, its end of line included. */
export interface JsonLine {
  value: unknown;
  /** The text as the file has it, with its end of line. */
  text: string;
  offset: number;
  end: number;
}

/**
 * Reads the whole lines of a file, each of which begins with `opening`; none if there is no file. What a kill cut off at
 * its end is passed over. Any other line throws a sentence: the file is somebody else's and must not be written to.
 */
export async function* readJsonLines(
  path: string,
  { opening, followsLinks = true }: { opening: string; followsLinks?: boolean },
): AsyncGenerator<JsonLine> {
  let offset = 0;
  let number = 0;
  for await (const bytes of linesOfFile(path, followsLinks)) {
    number += 1;
    const text = Buffer.from(bytes)
      .toString()
      .replace(number === 1 ? /^\uFEFF/ : "", ""); // as editors of Windows save it
    const isWhole = bytes.at(-1) === newline;
    if (!isWhole && (text.startsWith(opening) || opening.startsWith(text))) return;
    const value = text.startsWith(opening) ? parse(text) : undefined;
    if (value === undefined) {
      throw new Error(`${placeOf({ path, number })}: expected JSON that begins with ${opening}, found something else`);
    }
    yield { value, text, offset, end: offset + bytes.length };
    offset += bytes.length;
  }
}

async function* linesOfFile(path: string, followsLinks: boolean): AsyncGenerator<Uint8Array> {
  try {
    yield* splitLines((await openRegularFile(path, { followsLinks })).createReadStream(), { path });
  } catch (error) {
    if (isMissing(error)) return;
    const sentence = error instanceof UnfitFile ? `${path}: ${error.message}` : describeFileError(error, { path });
    throw sentence === undefined ? error : new Error(sentence, { cause: error });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
