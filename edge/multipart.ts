import { CaptionError, quote } from "../shared/errors.ts";

/** Far more than any form needs; the limits bound the work that a hostile body can cause. */
const maxParts = 20;
const maxHeadBytes = 8 * 1024;

const [cr, lf, dash, space, tab] = [0x0d, 0x0a, 0x2d, 0x20, 0x09];

interface Field {
  name: string | undefined;
  content: Uint8Array<ArrayBuffer>;
}

interface Delimiter {
  /** Start of the line, including the line end before it, which belongs to it. */
  from: number;
  /** Start of what follows it. */
  to: number;
  isLast: boolean;
}

/**
 * Reads the one field called `name` of a multipart/form-data body (RFC 7578, RFC 2046). Returns a view into the body: the
 * runtime's own `formData()` would copy the photo, and an isolate has 128 MB.
 */
export function readField(
  body: Uint8Array<ArrayBuffer>,
  { contentType, name }: { contentType: string; name: string },
): Uint8Array<ArrayBuffer> {
  const boundary = readParameters(contentType).get("boundary");
  if (boundary === undefined || boundary === "") throw invalid("expected multipart/form-data to name its boundary");
  const fields = readFields(body, boundary);
  const [field, second] = fields.filter((candidate) => candidate.name === name);
  if (field === undefined) {
    const received = fields.map((other) => quote(other.name ?? "")).join(", ") || "no fields";
    throw invalid(`expected a multipart field named ${name}, received ${received}`);
  }
  if (second !== undefined) throw invalid(`expected one multipart field named ${name}, received more than one`);
  return field.content;
}

function readFields(body: Uint8Array<ArrayBuffer>, boundary: string): Field[] {
  const delimiters = findDelimiters(body, boundary);
  const fields: Field[] = [];
  let opening = delimiters.next().value; // a preamble before it is ignored
  if (opening === undefined) throw unreadable(`expected a line of --${boundary}, received none`);
  while (!opening.isLast) {
    if (fields.length === maxParts) throw unreadable(`expected at most ${maxParts} fields, received more`);
    const closing = delimiters.next().value;
    if (closing === undefined) throw unreadable(`expected --${boundary}-- at its end, received none: it is cut short`);
    fields.push(readPart(body.subarray(opening.to, closing.from)));
    opening = closing;
  }
  return fields; // an epilogue after it is ignored
}

/** Yields the lines that separate parts: `--boundary`, possibly with spaces after it, or `--boundary--`. */
function* findDelimiters(body: Uint8Array<ArrayBuffer>, boundary: string): Generator<Delimiter, undefined, undefined> {
  const line = new TextEncoder().encode(`--${boundary}`);
  if (startsWith(body, line, 0)) {
    const first = readDelimiter(body, { from: 0, to: line.length });
    if (first !== undefined) yield first;
  }
  for (let at = findLine(body, 0); at !== -1; at = findLine(body, at + 4)) {
    if (!startsWith(body, line, at + 2)) continue;
    const delimiter = readDelimiter(body, { from: at, to: at + 2 + line.length });
    if (delimiter !== undefined) yield delimiter;
  }
}

/** Reads a delimiter from what follows the boundary; undefined for a content line that only begins with it. */
function readDelimiter(body: Uint8Array, { from, to }: { from: number; to: number }): Delimiter | undefined {
  if (body[to] === dash && body[to + 1] === dash) return { from, to: to + 2, isLast: true };
  let end = to;
  while (body[end] === space || body[end] === tab) end += 1;
  if (body[end] !== cr || body[end + 1] !== lf) return undefined;
  return { from, to: end + 2, isLast: false };
}

/** Finds the next line that begins with two dashes, including the line end before it, or -1. Skips up to four bytes at a time. */
function findLine(body: Uint8Array, from: number): number {
  let at = from;
  while (at + 3 < body.length) {
    const byte = body[at + 3];
    if (byte === dash) {
      if (body[at + 2] === dash && body[at + 1] === lf && body[at] === cr) return at;
      at += 1;
    } else {
      at += byte === lf ? 2 : byte === cr ? 3 : 4;
    }
  }
  return -1;
}

function startsWith(body: Uint8Array, bytes: Uint8Array, at: number): boolean {
  return bytes.every((byte, index) => body[at + index] === byte);
}

/** Reads a part after its delimiter: header lines, an empty line, the content. Without the empty line, the content is empty. */
function readPart(part: Uint8Array<ArrayBuffer>): Field {
  const head = part.subarray(0, maxHeadBytes);
  if (isLineEnd(head, 0)) return { name: undefined, content: part.subarray(2) };
  const end = head.findIndex((_, at) => isLineEnd(head, at) && isLineEnd(head, at + 2));
  if (end !== -1) return { name: readName(head.subarray(0, end)), content: part.subarray(end + 4) };
  if (part.length > maxHeadBytes) throw unreadable(`expected headers of at most ${maxHeadBytes} bytes, received more`);
  return { name: readName(head), content: part.subarray(part.length) };
}

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === cr && bytes[at + 1] === lf;
}

/** Reads a field's name. File names may be in any encoding, but what is read here is ASCII, which is the same in all of them. */
function readName(head: Uint8Array): string | undefined {
  const lines = new TextDecoder().decode(head).replaceAll(/\r\n[ \t]+/g, " ");
  const [, disposition] = /(?:^|\r\n)content-disposition[ \t]*:([^\r\n]*)/i.exec(lines) ?? [];
  return readParameters(disposition ?? "").get("name");
}

/** Reads the parameters after a header's value (RFC 2045, 5.1), with lower-case names; the first of a name counts. */
function readParameters(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const pattern = /;\s*([^\s=;]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"?|([^;]*))/g;
  for (const [, name = "", quoted, bare = ""] of header.matchAll(pattern)) {
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted?.replaceAll(/\\(.)/g, "$1") ?? bare.trim());
  }
  return parameters;
}

function invalid(message: string): CaptionError {
  return new CaptionError("invalid_request", message);
}

function unreadable(reason: string): CaptionError {
  return invalid(`the multipart body cannot be read: ${reason}`);
}
