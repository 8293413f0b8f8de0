import { readImageFormat, readImageHeader } from "../../shared/image-header.ts";
import { decodeHeic } from "./decode-heic.ts";

/** Long side of the uploaded photo. The encoder sees 299 pixels; this size leaves the caption unchanged. */
const uploadSide = 1280;
/** Long side of a card's picture, for screens of twice the usual density. */
const cardSide = 720;
/** Files of up to this size are sent unchanged: shrinking them is not worth the wait. */
const smallBytes = 300_000;
const quality = 0.9;
/** What a format is read from. */
const formatBytes = 1024;

export interface PreparedPhoto {
  upload: Blob;
  /** Picture for the card and the history; undefined if the browser cannot decode the photo. */
  picture: Blob | undefined;
}

/**
 * Prepares a photo: a small picture for its card, and the upload. The upload is the file itself, unless it is large and is to
 * be shrunk, or the service would refuse it (a phone's HEIC) and this browser can decode it. Throws a `CaptionError` for a
 * HEIC that nothing here decodes.
 */
export async function preparePhoto(file: File, { isShrunk }: { isShrunk: boolean }): Promise<PreparedPhoto> {
  const bitmap = await decode(file);
  if (bitmap === undefined) return { upload: file, picture: undefined };
  try {
    const picture = await redraw(bitmap, cardSide);
    const isLarge = file.size > smallBytes && Math.max(bitmap.width, bitmap.height) > uploadSide;
    const isRedrawn = (isShrunk && isLarge) || !(await isSupported(file));
    return { upload: isRedrawn ? await redraw(bitmap, uploadSide) : file, picture };
  } finally {
    bitmap.close();
  }
}

async function decode(file: File): Promise<ImageBitmap | undefined> {
  try {
    return await createImageBitmap(file); // upright: EXIF orientation is applied
  } catch {
    if (await isHeic(file)) return decodeHeic(new Uint8Array(await file.arrayBuffer()));
    return undefined; // a TIFF, which the service decodes and browsers do not, or no photo at all
  }
}

/** Whether the service decodes files of this format. */
async function isSupported(file: File): Promise<boolean> {
  try {
    readImageHeader(new Uint8Array(await file.arrayBuffer()));
    return true;
  } catch {
    return false;
  }
}

async function isHeic(file: File): Promise<boolean> {
  try {
    const bytes = new Uint8Array(await file.slice(0, formatBytes).arrayBuffer());
    return readImageFormat(bytes, { allowHeic: true }) === "heic";
  } catch {
    return false;
  }
}

/** Draws a JPEG of at most `side` pixels, on white where the photo is transparent, without the file's metadata. */
async function redraw(bitmap: ImageBitmap, side: number): Promise<Blob> {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("expected a canvas to draw on, received none: the browser is short of memory");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}
