import { quote, sourceRequestSchema } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { type ImageHeader, readImageHeader } from "../shared/image-header.ts";
import { byteIdFromHash, contentIdOf, type PhotoIds } from "../shared/photo-id.ts";
import { expectFewPixels, type PixelLimits } from "../shared/pixel-limits.ts";
import type { ArrivalLimits } from "./arrival-watch.ts";
import type { BufferHold } from "./buffer-hold.ts";
import { fetchSource, type SourceLimits } from "./fetch-source.ts";
import { readField } from "./multipart.ts";
import { parseRequestJson } from "./parse-json.ts";
import { readBody, readJsonBody } from "./read-body.ts";

/** What boundary lines, part headers and other fields of a multipart body may take beside the image. */
const multipartFramingBytes = 64 * 1024;

/** A photo that is known to be an image of a format the service decodes. */
export interface Photo extends PhotoIds, HeaderFacts {
  bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes. */
  hash: Uint8Array<ArrayBuffer>;
}

/** What an answer tells of a photo. */
type HeaderFacts = Pick<ImageHeader, "format" | "width" | "height">;

export interface UploadLimits extends PixelLimits {
  maxBytes: number;
  allowHeic: boolean;
  /** Of the body. */
  arrival: ArrivalLimits;
  /** For photos given by their address. */
  source: SourceLimits;
  /** Where the photo is counted. */
  hold: BufferHold;
  /** Where a JSON body is counted that names a photo's address. */
  questionHold: BufferHold;
}

/**
 * Reads a photo: the raw body, a multipart field, or what a JSON body names the address of. The client's word counts for
 * how the body is framed, never for what it holds: format and size in pixels come from the bytes.
 */
export async function readUpload(request: Request, limits: UploadLimits): Promise<Photo> {
  return checkPhoto(await readPhotoBytes(request, limits), limits);
}

/** Refuses what is no image of a format that works, or too large, and gives the rest its ids. */
export async function checkPhoto(
  bytes: Uint8Array<ArrayBuffer>,
  { maxBytes, ...limits }: Pick<UploadLimits, "maxBytes" | "allowHeic"> & PixelLimits,
): Promise<Photo> {
  if (bytes.length === 0) throw new CaptionError("invalid_request", "expected an image, received nothing");
  if (bytes.length > maxBytes) throw tooManyBytes({ maxBytes, received: bytes.length });
  const header = expectImage(bytes, limits);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const contentId = await contentIdOf(bytes);
  return { bytes, hash, id: byteIdFromHash(hash), ...(contentId && { contentId }), ...header };
}

async function readPhotoBytes(
  request: Request,
  { maxBytes, arrival, source, hold, questionHold }: UploadLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const contentType = request.headers.get("Content-Type") ?? "";
  const mediaType = expectUploadType(contentType);
  const tooMany = (received: number | "more") => tooManyBytes({ maxBytes, received });
  if (mediaType === "application/json") {
    const body = await readJsonBody(request, { arrival, hold: questionHold });
    const { url } = parseRequestJson(body, sourceRequestSchema);
    return fetchSource(url, { ...source, maxBytes, tooManyBytes: tooMany, hold });
  }
  if (mediaType === "multipart/form-data") {
    const maxBodyBytes = maxBytes + multipartFramingBytes;
    const body = await readBody(request, { maxBytes: maxBodyBytes, tooManyBytes: tooMany, arrival, hold });
    return readField(body, { contentType, name: "image" });
  }
  return readBody(request, { maxBytes, tooManyBytes: tooMany, arrival, hold });
}

/** Refuses, before reading them, bodies that announce themselves as something other than an upload. */
function expectUploadType(contentType: string): string {
  const mediaType = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  const isForm = mediaType === "application/x-www-form-urlencoded";
  const isOtherMultipart = mediaType.startsWith("multipart/") && mediaType !== "multipart/form-data";
  const isOtherJson = /^application\/.+\+json$/.test(mediaType);
  if (isForm || isOtherMultipart || isOtherJson) {
    const hint = isForm ? `, which curl sends unless told: --data-binary @photo.jpg -H 'Content-Type: image/jpeg'` : "";
    throw new CaptionError(
      "unsupported_media_type",
      `expected an image as the body, multipart/form-data with a field named image, or application/json with its url, received ${quote(mediaType)}${hint}`,
    );
  }
  return mediaType;
}

function expectImage(
  bytes: Uint8Array,
  { allowHeic, ...limits }: Pick<UploadLimits, "allowHeic"> & PixelLimits,
): HeaderFacts {
  const header = readImageHeader(bytes, { allowHeic });
  expectFewPixels(header, limits);
  const { format, width, height } = header;
  return { format, width, height };
}

/** The error for a photo of more bytes than there may be. */
export function tooManyBytes({ maxBytes, received }: { maxBytes: number; received: number | "more" }): CaptionError {
  return new CaptionError("payload_too_large", `expected an image of at most ${maxBytes} bytes, received ${received}`);
}
