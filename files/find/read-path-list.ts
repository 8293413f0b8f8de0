import { TextDecoder } from "node:util";
import { isUnsafeForTerminal, terminalJson } from "../../shared/terminal-text.ts";
import { encodingByMark } from "../decode-text.ts";
import { fromDiskPath } from "../disk-path.ts";

const [newline, carriageReturn, nul] = [0x0a, 0x0d, 0];
const byteOrderMark = Buffer.from("\uFEFF");

/**
 * The paths of a list: one a line, of Windows or Unix, or with `isNulSeparated` one up to each NUL, as `find -print0`
 * writes them. Empty ones are passed over; what `pathLine` quoted is unquoted. Without the byte order mark of UTF-16,
 * bytes are paths as they are on disk.
 */
export async function* readPathList(
  input: AsyncIterable<string | Uint8Array>,
  { isNulSeparated }: { isNulSeparated: boolean },
): AsyncGenerator<string> {
  const separator = isNulSeparated ? nul : newline;
  const toPath = (bytes: Uint8Array) =>
    isNulSeparated
      ? fromDiskPath(bytes)
      : unquotePath(fromDiskPath(bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes));
  let rest = Buffer.of();
  for await (const chunk of readBytes(input)) {
    rest = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(separator); end >= 0; end = rest.indexOf(separator, start)) {
      const path = toPath(rest.subarray(start, end));
      start = end + 1;
      if (path !== "") yield path;
    }
    rest = rest.subarray(start);
  }
  const path = toPath(rest);
  if (path !== "") yield path;
}

/** A path as a line of a list: one that would spread over several lines or act on a terminal is quoted as JSON. */
export function pathLine(path: string): string {
  return isUnsafeForTerminal(path) || readQuoted(path) !== undefined ? terminalJson(path) : path;
}

/** Only what `pathLine` had to quote: names with quotation marks around them are names. */
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

/** The bytes without a mark; of UTF-16, in UTF-8. The mark is told by the first three bytes, which may come one by one. */
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
