import { stat } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { pMapIterable } from "p-map";
import { toDiskPath } from "../../files/disk-path.ts";
import type { FoundPhoto } from "../../files/find/search-result.ts";
import { readPhotoFile, unfitReason } from "../../files/read-photo-file.ts";
import type { RemotePhoto } from "../../files/remote/address.ts";
import type { RemotePhotos } from "../../files/remote/remote-photos.ts";
import { UnfitObject } from "../../files/remote/unfit-object.ts";
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
  /** Asks whether photos at addresses have changed; undefined if none can be among them. */
  remote?: RemotePhotos | undefined;
}

/** Looks photos up in a state. Starts no model and changes nothing. */
export function readPhotoStatus(
  photos: readonly FoundPhoto[],
  { index, statePath, folder, remote }: StatusSource,
): AsyncIterable<PhotoStatus> {
  const keyOfFile = async (path: string) => {
    const file = resolve(folder, path);
    const known = index.idsOf(relative(dirname(statePath), file), await stat(toDiskPath(file)));
    return photoKeyOf(known ?? (await photoIdsOf(await readPhotoFile(file))));
  };
  const lookUp = async (photo: FoundPhoto): Promise<PhotoStatus> => {
    if ("error" in photo) return photo;
    const { path, remote: place } = photo;
    try {
      const isRemote = place !== undefined && remote !== undefined;
      const key = await (isRemote ? keyAt({ path, place }, { index, remote }) : keyOfFile(path));
      return { path, key, last: index.last(key), isCorrected: index.correctionOf(key) !== undefined };
    } catch (error) {
      const reason = unfitReason(error);
      if (reason === undefined) throw error;
      return { path, error: reason };
    }
  };
  return pMapIterable(photos, lookUp, { concurrency: filesAtOnce });
}

/** Returns the key of a photo at an address; its path for one that was never read, and is not read for this. */
async function keyAt(
  { path, place }: { path: string; place: RemotePhoto },
  { index, remote }: { index: StateIndex; remote: RemotePhotos },
): Promise<string> {
  if (place.kind === "refused") throw new UnfitObject(place.error);
  const known = index.objectAt(path);
  if (known === undefined) return path;
  const listed = place.kind === "object" ? place.listed?.etag : undefined;
  if (listed !== undefined) return listed === known.version.etag ? photoKeyOf(known.ids) : path;
  const found = await remote.read(place, { unless: known.version });
  return photoKeyOf(found === "unchanged" ? known.ids : await photoIdsOf(found.bytes));
}
