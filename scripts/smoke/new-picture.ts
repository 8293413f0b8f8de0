import { randomBytes } from "node:crypto";
import sharp from "sharp";

const side = 64;

/** A PNG that nobody has seen before: pixels by chance. */
export async function newPicture(): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = randomBytes(side * side * 3);
  return new Uint8Array(
    await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toBuffer(),
  );
}
