import { openPhoto } from "../../captioner/images/open-photo.ts";
import { defaultMaxPixels } from "../../shared/contract.ts";

const side = 320;
const quality = 60;

/** A photo as a small WebP, upright, as a `data:` URI: about ten kilobytes, so that a thousand of them make a page one can open. */
export async function makeThumbnail(bytes: Uint8Array): Promise<string> {
  const photo = await openPhoto(bytes, { maxPixels: defaultMaxPixels });
  const small = await photo
    .resize({ width: side, height: side, fit: "inside", withoutEnlargement: true })
    .webp({ quality })
    .toBuffer();
  return `data:image/webp;base64,${small.toString("base64")}`;
}
