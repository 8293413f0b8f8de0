import { stat } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { pMapIterable } from "p-map";
import { toDiskPath } from "../../files/disk-path.ts";
import type { FoundPhoto } from "../../files/find/walk-folder.ts";
import { readPhotoFile, unfitReason } from "../../files/read-photo-file.ts";
import { photoIdsOf } from "../../shared/photo-id.ts";
import { photoKeyOf } from "../caption/captioned-photo.ts";
import type { LastCaption, StateIndex } from "./state-index.ts";

const filesAtOnce = 8;

/** What a state knows of a photo. */
export type SurveyedPhoto =
  | { path: string; last: LastCaption | undefined; isCorrected: boolean; key: string }
  | { path: string; error: string };

interface Survey {
  index: StateIndex;
  /** Where the index was read from. */
  statePath: string;
  /** What relative paths start from. */
  folder: string;
}

/** Looks photos up in a state, without a model and without a change to anything. */
export function surveyPhotos(
  photos: readonly FoundPhoto[],
  { index, statePath, folder }: Survey,
): AsyncIterable<SurveyedPhoto> {
  const survey = async (photo: FoundPhoto): Promise<SurveyedPhoto> => {
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
  return pMapIterable(photos, survey, { concurrency: filesAtOnce });
}
