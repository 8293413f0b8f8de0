import { TextDecoder } from "node:util";
import { isUnsafeForTerminal, terminalJson } from "../../shared/terminal-text.ts";
import { encodingByMark } from "../decode-text.ts";
import { fromDiskPath } from "../disk-path.ts";
import { splitLines } from "../read-lines.ts";

const [newline, carriageReturn, nul] = [0x0a, 0x0d, 0];
const byteOrderMark = Buffer.from("\uFEFF");

/**
 * Reads the paths of a list: one per line, with ends of lines of Windows or Unix, or with `isNulSeparated` one up to each
 * NUL, as `find -print0` writes them. Empty ones are passed over; what `pathLine` quoted is unquoted. Without the byte order
 * mark of UTF-16, bytes are paths as they are on disk.
 */
export async function* readPathList(
  input: AsyncIterable<string | Uint8Array>,
  { isNulSeparated }: { isNulSeparated: boolean },
): AsyncGenerator<string> {
  const separator = isNulSeparated ? nul : newline;
  for await (const line of splitLines(readBytes(input), { path: "the list of paths", separator })) {
    const bytes = withoutEnd(line, separator);
    const path = isNulSeparated ? fromDiskPath(bytes) : unquotePath(fromDiskPath(withoutEnd(bytes, carriageReturn)));
    if (path !== "") yield path;
  }
}

function withoutEnd(bytes: Uint8Array, end: number): Uint8Array {
  return bytes.at(-1) === end ? bytes.subarray(0, -1) : bytes;
}

/** Writes a path as a line of a list: one that would spread over several lines or act on a terminal is quoted as JSON. */
export function pathLine(path: string): string {
  return isUnsafeForTerminal(path) || readQuoted(path) !== undefined ? terminalJson(path) : path;
}

/** Unquotes only what `pathLine` had to quote: names with quotation marks around them are names. */
function unquotePath(line: string): string {
  const path = readQuoted(line);
  return path !== undefined && pathLine(path) === line ? path : line;
}

function readQuoted(line: string): string | undefined {
  if (!/^".*"$/.test(line)) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Drops the byte order mark and turns UTF-16 into UTF-8. The first three bytes hold the mark, and may come one by one. */
async function* readBytes(input: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  let toBytes: ((chunk: Uint8Array) => Uint8Array) | undefined;
  let held = Buffer.of();
  for await (const chunk of input) {
    if (toBytes !== undefined) {
      yield toBytes(Buffer.from(chunk));
      continue;
    }
    held = Buffer.concat([held, Buffer.from(chunk)]);
    if (held.length < byteOrderMark.length) continue;
    toBytes = decoderFor(held);
    yield toBytes(withoutMark(held));
  }
  if (toBytes === undefined) yield decoderFor(held)(withoutMark(held));
}

function decoderFor(start: Uint8Array): (chunk: Uint8Array) => Uint8Array {
  const encoding = encodingByMark(start);
  if (encoding === "utf-8") return (chunk) => chunk;
  const decoder = new TextDecoder(encoding);
  return (chunk) => Buffer.from(decoder.decode(chunk, { stream: true }));
}

function withoutMark(start: Buffer): Uint8Array {
  return start.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? start.subarray(byteOrderMark.length) : start;
}
