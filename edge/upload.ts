import { quote } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { type ImageFormat, readImageHeader } from "../shared/image-header.ts";
import { type ByteId, byteIdFromHash } from "../shared/photo-id.ts";
import type { BufferHold } from "./buffer-hold.ts";
import { readField } from "./multipart.ts";
import { readBytes } from "./read-bytes.ts";

/** What boundary lines, part headers and other fields of a multipart body may take beside the image. */
const multipartFramingBytes = 64 * 1024;

/** A photo that is known to be an image of a format the service decodes. */
export interface Photo {
  bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes. */
  hash: Uint8Array<ArrayBuffer>;
  id: ByteId;
  format: ImageFormat;
}

interface UploadLimits {
  maxBytes: number;
  maxPixels: number;
  /** For the whole body. */
  timeoutMs: number;
  hold: BufferHold;
}

/**
 * Reads a raw or multipart upload. The client's word counts for how the body is framed, never for what it holds:
 * format and size in pixels come from the bytes.
 */
export async function readUpload(
  request: Request,
  { maxBytes, maxPixels, timeoutMs, hold }: UploadLimits,
): Promise<Photo> {
  const contentType = request.headers.get("Content-Type") ?? "";
  const isMultipart = expectUploadType(contentType) === "multipart/form-data";
  const maxBodyBytes = isMultipart ? maxBytes + multipartFramingBytes : maxBytes;
  const body = await readBody(request, { maxBodyBytes, maxBytes, timeoutMs, hold });
  const bytes = isMultipart ? readField(body, { contentType, name: "image" }) : body;
  if (bytes.length === 0) throw new CaptionError("invalid_request", "expected an image, received nothing");
  if (bytes.length > maxBytes) throw tooManyBytes({ maxBytes, received: bytes.length });
  const format = expectImage(bytes, maxPixels);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { bytes, hash, id: byteIdFromHash(hash), format };
}

/** Refuses, before reading them, bodies that announce themselves as something other than an upload. */
function expectUploadType(contentType: string): string {
  const mediaType = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  const isForm = mediaType === "application/x-www-form-urlencoded";
  const isOtherMultipart = mediaType.startsWith("multipart/") && mediaType !== "multipart/form-data";
  if (isForm || isOtherMultipart || /^application\/(.+\+)?json$/.test(mediaType)) {
    const hint = isForm ? `, which curl sends unless told: --data-binary @photo.jpg -H 'Content-Type: image/jpeg'` : "";
    throw new CaptionError(
      "unsupported_media_type",
      `expected an image as the body, or multipart/form-data with a field named image, received ${quote(mediaType)}${hint}`,
    );
  }
  return mediaType;
}

async function readBody(
  request: Request,
  {
    maxBodyBytes,
    maxBytes,
    timeoutMs,
    hold,
  }: { maxBodyBytes: number; maxBytes: number; timeoutMs: number; hold: BufferHold },
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = declaredLength(request.headers);
  if (declared > maxBodyBytes) throw tooManyBytes({ maxBytes, received: declared });
  // Room for the whole upload at once where its size is known: those let in will also finish.
  hold.growTo(declared);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await readBytes(request.body, {
      maxBytes: maxBodyBytes,
      tooLarge: () => tooManyBytes({ maxBytes, received: "more" }),
      onProgress: (bytesRead) => hold.growTo(bytesRead),
      signal,
    });
  } catch (error) {
    if (error instanceof CaptionError) throw error;
    if (signal.aborted) {
      throw new CaptionError("request_timeout", `expected the whole body within ${timeoutMs} ms`, { cause: error });
    }
    throw new CaptionError("invalid_request", "the upload broke off before its end", { cause: error });
  }
}

/** `Content-Length`, or 0 where there is none to go by. */
function declaredLength(headers: Headers): number {
  const value = headers.get("Content-Length") ?? "";
  return /^\d+$/.test(value) ? Number(value) : 0;
}

function expectImage(bytes: Uint8Array, maxPixels: number): ImageFormat {
  const { format, width, height } = readImageHeader(bytes);
  if (width * height > maxPixels) {
    throw new CaptionError(
      "payload_too_large",
      `expected an image of at most ${maxPixels} pixels, received ${width} × ${height}`,
    );
  }
  return format;
}

function tooManyBytes({ maxBytes, received }: { maxBytes: number; received: number | "more" }): CaptionError {
  return new CaptionError("payload_too_large", `expected an image of at most ${maxBytes} bytes, received ${received}`);
}
