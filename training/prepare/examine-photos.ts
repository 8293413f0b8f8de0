import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import pMap from "p-map";
import { sha256Of } from "../../captioner/bundle.ts";
import { toDiskPath } from "../../files/disk-path.ts";
import { readPhotoFile } from "../../files/read-photo-file.ts";
import { CaptionError } from "../../shared/errors.ts";
import { readImageHeader } from "../../shared/image-header.ts";
import { showProgress } from "../../terminal/progress.ts";
import type { CaptionedPhoto, Dataset } from "../dataset.ts";
import type { DigestedPhoto } from "./assign-splits.ts";

const filesAtOnce = 8;

export interface Examined {
  usable: DigestedPhoto[];
  /** Paths, each with what is wrong with the file. */
  unusable: string[];
}

/** Names, sizes and times of change of all photos. As a digest, it tells in a moment whether any of them changed. */
export async function statPhotos({
  folder,
  photos,
}: Dataset): Promise<{ digest: string; missing: Set<CaptionedPhoto> }> {
  const missing = new Set<CaptionedPhoto>();
  const lines = await pMap(
    photos,
    async (photo) => {
      const found = await stat(toDiskPath(resolve(folder, photo.file))).catch(() => undefined);
      if (found?.isFile()) return `${photo.file}\t${found.size}\t${found.mtimeMs}\n`;
      missing.add(photo);
      return `${photo.file}\n`;
    },
    { concurrency: filesAtOnce },
  );
  return { digest: sha256Of(lines.join("")), missing };
}

/** Reads photos for their digests and headers. Both lists are in the photos' order. */
export async function examinePhotos(folder: string, photos: readonly CaptionedPhoto[]): Promise<Examined> {
  const progress = showProgress("reading photos", { total: photos.length, unit: "photos" });
  const examine = async (photo: CaptionedPhoto): Promise<DigestedPhoto | string> => {
    const bytes = await readPhotoFile(resolve(folder, photo.file));
    const problem = findProblem(bytes);
    progress.advance();
    return problem === undefined ? { ...photo, sha256: sha256Of(bytes) } : `${photo.file} (${problem})`;
  };
  try {
    const outcomes = await pMap(photos, examine, { concurrency: filesAtOnce });
    return {
      usable: outcomes.filter((outcome) => typeof outcome !== "string"),
      unusable: outcomes.filter((outcome) => typeof outcome === "string"),
    };
  } finally {
    progress.end();
  }
}

/** What keeps bytes from being a photo, as far as their header tells. */
function findProblem(bytes: Uint8Array): string | undefined {
  try {
    readImageHeader(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof CaptionError) return error.message;
    throw error;
  }
}
