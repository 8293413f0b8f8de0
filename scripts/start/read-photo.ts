import { resolve } from "node:path";
import { readPhotoFile, unfitReason } from "../../files/read-photo-file.ts";
import { defaultMaxBytes } from "../../shared/contract.ts";
import { type ImageFormat, readImageHeader } from "../../shared/image-header.ts";

export interface Photo {
  /** As it was given. */
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
  format: ImageFormat;
}

/** Reads a photo and looks at its header, so that what is no photo is known before anything is started. */
export async function readPhoto(path: string, { folder }: { folder: string }): Promise<Photo> {
  try {
    const bytes = await readPhotoFile(resolve(folder, path));
    const { format } = readImageHeader(bytes);
    if (bytes.length <= defaultMaxBytes) return { path, bytes, format };
    throw new Error(`expected a photo of at most ${defaultMaxBytes} bytes, received ${bytes.length}`);
  } catch (cause) {
    throw new Error(`${path}: ${unfitReason(cause) ?? (cause instanceof Error ? cause.message : cause)}`, {
      cause,
    });
  }
}
