import { TextDecoder } from "node:util";
import { isUnsafeForTerminal, terminalJson } from "../shared/terminal-text.ts";
import { encodingByMark } from "./decode-text.ts";

/**
 * The paths of a list: one a line, of Windows or Unix, in UTF-8 or in UTF-16 with a byte order mark, or with `isNulSeparated`
 * one up to each NUL, as `find -print0` writes them. Empty ones are passed over; what `pathLine` quoted is unquoted.
 */
export async function* readPathList(
  input: AsyncIterable<string | Uint8Array>,
  { isNulSeparated }: { isNulSeparated: boolean },
): AsyncGenerator<string> {
  const separator = isNulSeparated ? "\0" : "\n";
  const tidy = (path: string) => (isNulSeparated ? path : unquotePath(path.replace(/\r$/, "")));
  let rest = "";
  for await (const chunk of decodeChunks(input)) {
    const paths = (rest + chunk).split(separator);
    rest = paths.pop() ?? "";
    for (const path of paths.map(tidy)) if (path !== "") yield path;
  }
  if (tidy(rest) !== "") yield tidy(rest);
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

/** The encoding is told by the first two bytes, which may come one by one. */
async function* decodeChunks(input: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let held: Uint8Array = new Uint8Array();
  for await (const chunk of input) {
    held = Buffer.concat([held, typeof chunk === "string" ? Buffer.from(chunk) : chunk]);
    if (decoder === undefined && held.length < 2) continue;
    decoder ??= new TextDecoder(encodingByMark(held));
    yield decoder.decode(held, { stream: true });
    held = new Uint8Array();
  }
  yield (decoder ?? new TextDecoder()).decode(held);
}
