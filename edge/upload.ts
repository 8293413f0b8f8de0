import { sourceRequestSchema } from "../shared/contract.ts";
import { CaptionError, quote } from "../shared/errors.ts";
import { expectFewPixels, type ImageHeader, type PixelLimits, readImageHeader } from "../shared/image-header.ts";
import { byteIdFromHash, contentIdOf, type PhotoIds } from "../shared/photo-id.ts";
import type { ArrivalLimits } from "./arrival-watch.ts";
import type { BufferHold } from "./buffer-hold.ts";
import { fetchSource, type SourceLimits } from "./fetch-source.ts";
import { readField } from "./multipart.ts";
import { readBody, readJson, tooManyBytes } from "./read-body.ts";

/** Allowance for the boundary lines, part headers and other fields of a multipart body. */
const multipartFramingBytes = 64 * 1024;

/** A photo whose format and size were checked: the service decodes it, unless its pixels are damaged. */
export interface CheckedPhoto extends PhotoIds, Pick<ImageHeader, "format" | "width" | "height"> {
  bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes. */
  hash: Uint8Array<ArrayBuffer>;
}

export interface UploadLimits extends PixelLimits {
  maxBytes: number;
  allowHeic: boolean;
  /** Time and rate of the request's body. */
  arrival: ArrivalLimits;
  /** Rules for photos that are given by their address. */
  source: SourceLimits;
  /** Counts the photo's bytes. */
  hold: BufferHold;
  /** Counts a JSON body that names a photo's address. */
  jsonHold: BufferHold;
}

/**
 * Reads a photo from the raw body, from a multipart field, or from the address that a JSON body names. `Content-Type` says
 * how the body is framed and no more: format and size in pixels come from the bytes.
 */
export async function readUpload(request: Request, limits: UploadLimits): Promise<CheckedPhoto> {
  return checkPhoto(await readPhotoBytes(request, limits), limits);
}

async function readPhotoBytes(
  request: Request,
  { maxBytes, arrival, source, hold, jsonHold }: UploadLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const contentType = request.headers.get("Content-Type") ?? "";
  const mediaType = expectUploadType(contentType);
  if (mediaType === "application/json") {
    const { url } = await readJson(request, { schema: sourceRequestSchema, arrival, hold: jsonHold });
    return fetchSource(url, { ...source, maxBytes, hold });
  }
  const limits = { maxBytes, kind: "an image", arrival, hold } as const;
  if (mediaType !== "multipart/form-data") return readBody(request, limits);
  const body = await readBody(request, { ...limits, framingBytes: multipartFramingBytes });
  return readField(body, { contentType, name: "image" });
}

/** Refuses, before reading them, bodies whose type says that they are no upload. */
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

/** Refuses files in other formats and photos that are too large, and gives a photo its ids. */
export async function checkPhoto(
  bytes: Uint8Array<ArrayBuffer>,
  { maxBytes, allowHeic, ...pixelLimits }: Pick<UploadLimits, "maxBytes" | "allowHeic"> & PixelLimits,
): Promise<CheckedPhoto> {
  if (bytes.length === 0) throw new CaptionError("invalid_request", "expected an image, received nothing");
  if (bytes.length > maxBytes) throw tooManyBytes({ maxBytes, kind: "an image" }, bytes.length);
  const header = readImageHeader(bytes, { allowHeic });
  expectFewPixels(header, pixelLimits);
  const { format, width, height } = header;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const contentId = await contentIdOf(bytes);
  return { bytes, hash, id: byteIdFromHash(hash), ...(contentId && { contentId }), format, width, height };
}
