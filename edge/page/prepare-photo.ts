import { readImageHeader } from "../../shared/image-header.ts";

/** The long side of what is uploaded. The encoder sees 299 pixels; this much leaves the caption as it would be. */
const uploadSide = 1280;
/** The long side of a card's picture, at twice the density of a usual screen. */
const cardSide = 720;
/** A file as small as this is sent as it is: shrinking would save nothing worth the wait. */
const smallBytes = 300_000;
const quality = 0.9;

export interface PreparedPhoto {
  upload: Blob;
  /** For the card and the history; undefined where the browser cannot decode the photo. */
  picture: Blob | undefined;
}

/**
 * Makes a photo ready: a small picture for its card, and what is uploaded. That is the file itself, unless it is to be
 * shrunk and is large enough, or the service would refuse it (a phone's HEIC) and this browser can decode it.
 */
export async function preparePhoto(file: File, { isShrunk }: { isShrunk: boolean }): Promise<PreparedPhoto> {
  const bitmap = await decode(file);
  if (bitmap === undefined) return { upload: file, picture: undefined };
  try {
    const picture = await redraw(bitmap, cardSide);
    const isLarge = file.size > smallBytes && Math.max(bitmap.width, bitmap.height) > uploadSide;
    const isRedrawn = (isShrunk && isLarge) || !(await isTaken(file));
    return { upload: isRedrawn ? await redraw(bitmap, uploadSide) : file, picture };
  } finally {
    bitmap.close();
  }
}

async function decode(file: File): Promise<ImageBitmap | undefined> {
  try {
    return await createImageBitmap(file); // upright: EXIF orientation is applied
  } catch {
    return undefined; // a TIFF, which the service reads and browsers do not, or no photo at all
  }
}

/** Whether the service reads files of this format. */
async function isTaken(file: File): Promise<boolean> {
  try {
    readImageHeader(new Uint8Array(await file.arrayBuffer()));
    return true;
  } catch {
    return false;
  }
}

/** As a JPEG of at most `side` pixels, on white where the photo is transparent; without any of the file's metadata. */
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
