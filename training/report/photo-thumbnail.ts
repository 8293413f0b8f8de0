import { sha256Of } from "../../captioner/bundle.ts";
import { openPhoto } from "../../captioner/images/open-photo.ts";
import { readPhotoFile } from "../../files/read-photo-file.ts";
import { defaultMaxPixels } from "../../shared/contract.ts";

/** Sharp on a phone, and thirty of them stay below a megabyte. */
const maxWidth = 320;
const jpegQuality = 78;

export interface Thumbnail {
  /** A `data:` URI. */
  source: string;
  width: number;
  height: number;
}

/** A photo as a small JPEG, upright. Throws where it is no longer what was captioned. */
export async function makeThumbnail(path: string, { sha256 }: { sha256: string | undefined }): Promise<Thumbnail> {
  const bytes = await readPhotoFile(path);
  if (sha256Of(bytes) !== sha256) {
    throw new Error(`${path}: has changed since prepare looked at it: run prepare and evaluate again`);
  }
  const photo = await openPhoto(bytes, { maxPixels: defaultMaxPixels });
  const { data, info } = await photo
    .resize({ width: maxWidth, withoutEnlargement: true })
    .jpeg({ quality: jpegQuality })
    .toBuffer({ resolveWithObject: true });
  return { source: `data:image/jpeg;base64,${data.toString("base64")}`, width: info.width, height: info.height };
}
