import { stat } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { pMapIterable } from "p-map";
import { toDiskPath } from "../../files/disk-path.ts";
import type { FoundPhoto } from "../../files/find/search-result.ts";
import { readPhotoFile, unfitReason } from "../../files/read-photo-file.ts";
import { photoIdsOf } from "../../shared/photo-id.ts";
import type { LastCaption, StateIndex } from "./state-index.ts";
import { photoKeyOf } from "./state-index.ts";

const filesAtOnce = 8;

/** A photo's last caption according to a state, or why the photo cannot be read. */
export type PhotoStatus =
  | { path: string; last: LastCaption | undefined; isCorrected: boolean; key: string }
  | { path: string; error: string };

interface StatusSource {
  index: StateIndex;
  /** The file that the index was read from. */
  statePath: string;
  /** The folder that relative paths start from. */
  folder: string;
}

/** Looks photos up in a state. Starts no model and changes nothing. */
export function readPhotoStatus(
  photos: readonly FoundPhoto[],
  { index, statePath, folder }: StatusSource,
): AsyncIterable<PhotoStatus> {
  const lookUp = async (photo: FoundPhoto): Promise<PhotoStatus> => {
    if ("error" in photo) return photo;
    const { path } = photo;
    const file = resolve(folder, path);
    try {
      const known = index.idsOf(relative(dirname(statePath), file), await stat(toDiskPath(file)));
      const key = photoKeyOf(known ?? (await photoIdsOf(await readPhotoFile(file))));
      return { path, key, last: index.last(key), isCorrected: index.correctionOf(key) !== undefined };
    } catch (error) {
      const reason = unfitReason(error);
      if (reason === undefined) throw error;
      return { path, error: reason };
    }
  };
  return pMapIterable(photos, lookUp, { concurrency: filesAtOnce });
}
