import { getMultipartBoundary, type MultipartPart, parseMultipart } from "@remix-run/multipart-parser";
import { quote } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";

/** Far beyond any form's needs; they bound the work that a hostile body can make. */
const maxParts = 20;
const maxHeaderBytes = 8 * 1024;

interface Field {
  name: string | undefined;
  content: Uint8Array<ArrayBuffer>;
}

/**
 * The bytes of the one field called `name` in a multipart/form-data body (RFC 7578), as a view into the body: the
 * runtime's own `formData()` would copy a photo, and an isolate has 128 MB.
 */
export function readField(
  body: Uint8Array<ArrayBuffer>,
  { contentType, name }: { contentType: string; name: string },
): Uint8Array<ArrayBuffer> {
  const fields = readFields(body, contentType);
  const [field, second] = fields.filter((candidate) => candidate.name === name);
  if (field === undefined) {
    const received = fields.map((other) => quote(other.name ?? "")).join(", ") || "no fields";
    throw new CaptionError("invalid_request", `expected a multipart field named ${name}, received ${received}`);
  }
  if (second !== undefined) {
    throw new CaptionError("invalid_request", `expected one multipart field named ${name}, received more than one`);
  }
  return field.content;
}

function readFields(body: Uint8Array<ArrayBuffer>, contentType: string): Field[] {
  const boundary = getMultipartBoundary(contentType);
  if (boundary === null) {
    throw new CaptionError("invalid_request", "expected multipart/form-data to name its boundary");
  }
  try {
    const limits = { maxParts, maxHeaderSize: maxHeaderBytes, maxFileSize: body.length, maxTotalSize: body.length };
    const parts = parseMultipart(body, { boundary, ...limits });
    return Array.from(parts, (part) => ({ name: part.name, content: contentOf(part, body) }));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause); // the parser's, or its text decoder's
    throw new CaptionError("invalid_request", `the multipart body cannot be read: ${reason}`, { cause });
  }
}

/** What was parsed from one buffer lies in it in one piece. */
function contentOf({ content }: MultipartPart, body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const [piece] = content;
  return piece === undefined ? body.subarray(0, 0) : new Uint8Array(body.buffer, piece.byteOffset, piece.byteLength);
}
