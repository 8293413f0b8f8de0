import type * as z from "zod";
import { CaptionError } from "../../shared/errors.ts";
import { readJson } from "../read-body.ts";
import type { UploadLimits } from "../upload.ts";

/** Limit of a photo in JSON, whose text takes several times its size of an isolate's memory. `MAX_BYTES` limits raw bodies. */
const maxBase64Bytes = 4 * 1024 * 1024;
/** Allowance for the JSON around the photo, prompts included. */
const jsonFramingBytes = 16 * 1024;

/** Reads a JSON body that holds a photo in base64. Throws `payload_too_large` and `invalid_request`. */
export function readBase64Json<T>(
  request: Request,
  { schema, arrival, hold }: Pick<UploadLimits, "arrival" | "hold"> & { schema: z.ZodType<T> },
): Promise<T> {
  const maxBytes = Math.ceil(maxBase64Bytes / 3) * 4 + jsonFramingBytes;
  return readJson(request, { schema, arrival, hold, maxBytes });
}

/** Decodes a photo from base64 or a data URL. Throws `invalid_request`, which says where the text stood. */
export function decodeBase64Photo(text: string, place: string): Uint8Array<ArrayBuffer> {
  const characters = decodeBase64(text.replace(/^data:[^,]*;base64,/i, ""), place);
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index); // `from` would make a string of each
  return bytes;
}

/** Decodes base64 into one character per byte. */
function decodeBase64(text: string, place: string): string {
  try {
    return atob(text);
  } catch (cause) {
    throw new CaptionError("invalid_request", `${place}: expected a photo in base64`, { cause });
  }
}
