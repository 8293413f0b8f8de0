import type { FileHandle } from "node:fs/promises";
import { TextDecoder } from "node:util";
import { openRegularFile, UnfitFile } from "../files/regular-file.ts";

const newline = 0x0a;
const maxLineBytes = 4 * 2 ** 20;

/** A non-empty line of text without trailing white space. Numbers count from 1, empty lines included. */
export interface Line {
  number: number;
  text: string;
}

interface LineOptions {
  /** Path for messages. */
  path: string;
  /** Whether invalid UTF-8 becomes U+FFFD; otherwise it is an error. */
  isLenient?: boolean;
}

/** Reads a UTF-8 file line by line, with or without byte order mark, with line ends of any system. */
export async function* readLines(path: string): AsyncGenerator<Line> {
  yield* splitLines((await openInput(path)).createReadStream(), { path });
}

/**
 * Opens a data file for reading. Throws a sentence for anything but a regular file: data are read several times, and a
 * pipe has its contents once, or never.
 */
export async function openInput(path: string): Promise<FileHandle> {
  try {
    return await openRegularFile(path);
  } catch (cause) {
    throw cause instanceof UnfitFile ? new Error(`${path}: ${cause.message}`, { cause }) : cause;
  }
}

/**
 * Yields lines, which only "\n" ends: word vectors contain words of U+0085 and U+2028, which other readers take for
 * line ends.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  { path, isLenient = false }: LineOptions,
): AsyncGenerator<Line> {
  const decoder = new TextDecoder("utf-8", { fatal: !isLenient });
  let number = 0;
  for await (const bytes of splitBytes(chunks, { path })) {
    number += 1;
    const text = decode(bytes, { decoder, place: placeOf({ path, number }) }).trimEnd();
    if (text !== "") yield { number, text };
  }
}

/** Returns the position of a line, for messages. */
export function placeOf({ path, number }: { path: string; number: number }): string {
  return `${path}, line ${number}`;
}

async function* splitBytes(chunks: AsyncIterable<Uint8Array>, { path }: LineOptions): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      yield bytes.subarray(start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > maxLineBytes) throw new Error(`${path}: expected a text file, found a line of over 4 MiB`);
  }
  yield rest;
}

function decode(bytes: Uint8Array, { decoder, place }: { decoder: TextDecoder; place: string }): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new Error(`${place}: expected UTF-8, found bytes that are none`, { cause });
  }
}
