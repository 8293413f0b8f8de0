import { describeFileError, isMissing } from "./file-error.ts";
import { openRegularFile, UnfitFile } from "./regular-file.ts";

const newline = 0x0a;

/** A line of a file of JSON lines, and where it stands in it: in bytes, up to its end included. */
export interface JsonLine {
  value: unknown;
  /** As it stands there, with its end. */
  text: string;
  offset: number;
  end: number;
}

/**
 * The whole lines of a file, each of which begins with `opening`; nothing where there is no file. What a kill cut off at
 * its end is passed over. Any other line throws a sentence: the file is somebody else's and must not be written to.
 */
export async function* readJsonLines(
  path: string,
  { opening, followsLinks = true }: { opening: string; followsLinks?: boolean },
): AsyncGenerator<JsonLine> {
  let offset = 0;
  let number = 0;
  for await (const bytes of linesOf(path, followsLinks)) {
    number += 1;
    const text = Buffer.from(bytes)
      .toString()
      .replace(number === 1 ? /^\uFEFF/ : "", ""); // as editors of Windows save it
    const isWhole = bytes.at(-1) === newline;
    if (!isWhole && (text.startsWith(opening) || opening.startsWith(text))) return;
    const value = text.startsWith(opening) ? parse(text) : undefined;
    if (value === undefined) {
      throw new Error(`${path}, line ${number}: expected JSON that begins with ${opening}, found something else`);
    }
    yield { value, text, offset, end: offset + bytes.length };
    offset += bytes.length;
  }
}

/** Lines with their ends; the last one may lack it. */
async function* linesOf(path: string, followsLinks: boolean): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    const file = await openRegularFile(path, { followsLinks });
    for await (const chunk of file.createReadStream()) {
      rest = Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline, start)) {
        yield rest.subarray(start, end + 1);
        start = end + 1;
      }
      rest = rest.subarray(start);
    }
  } catch (error) {
    if (isMissing(error)) return;
    const sentence = error instanceof UnfitFile ? `${path}: ${error.message}` : describeFileError(error, { path });
    throw sentence === undefined ? error : new Error(sentence, { cause: error });
  }
  if (rest.length > 0) yield rest;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
