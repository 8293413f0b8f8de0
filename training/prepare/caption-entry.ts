import { readdir, stat } from "node:fs/promises";
import { basename, join, normalize, relative, resolve } from "node:path";
import { toDiskPath } from "../../files/disk-path.ts";
import { digestFile } from "../../files/regular-file.ts";
import type { Dataset, DatasetPhoto, Split } from "../dataset.ts";

/** A line, row or record of a caption file. */
export interface CaptionEntry {
  /** Paths that the photo may have, relative to a folder of photos, the likeliest first. */
  names: readonly string[];
  captions: readonly string[];
  split?: Split | undefined;
  /** Position in the file, for messages. */
  place: string;
}

interface EntrySource {
  /** Path of the caption file. */
  path: string;
  /** Folders to search for photos, after the file's own. */
  images: readonly string[];
  entries: AsyncIterable<CaptionEntry> | Iterable<CaptionEntry>;
  /** Whether each photo should have a single entry, so that a second one is worth reporting. */
  isEntryPerPhoto?: boolean;
}

/**
 * Groups entries by photo. A photo's id is its path; the captions of several entries are joined. Throws a sentence if
 * only some entries have a split.
 */
export async function collectPhotos({ path, images, entries, isEntryPerPhoto }: EntrySource): Promise<Dataset> {
  const { sha256 } = await digestFile(path); // first, so that a change while we read is noticed next time
  const folder = resolve(path, "..");
  const places = new PhotoPlaces([folder, ...images, ...(await foldersIn(folder))]);
  const photos = new Map<string, DatasetPhoto>();
  const duplicated = new Set<string>();
  const withoutCaptions = new Set<string>();
  let hasSplits: boolean | undefined;
  for await (const { names, captions, split, place } of entries) {
    hasSplits ??= split !== undefined;
    if (hasSplits !== (split !== undefined)) {
      throw new Error(`${place}: expected a split on every line or on none, found ${split ?? "none"}`);
    }
    const file = await places.find(names);
    const known = photos.get(file);
    if (known !== undefined && isEntryPerPhoto) duplicated.add(file);
    if (known === undefined && captions.length === 0) withoutCaptions.add(file);
    else photos.set(file, joined(known, { file, captions, split }));
  }
  return {
    folder,
    sources: { [basename(path)]: sha256 },
    photos: [...photos.values()],
    hasSplits: hasSplits ?? false,
    findings: {
      duplicated: [...duplicated].map((file) => `${file} (on several lines)`),
      withoutCaptions: [...withoutCaptions].filter((file) => !photos.has(file)),
    },
  };
}

interface NewCaptions {
  file: string;
  captions: readonly string[];
  split: Split | undefined;
}

function joined(known: DatasetPhoto | undefined, { file, captions, split }: NewCaptions): DatasetPhoto {
  return {
    id: file,
    file,
    splits: [...new Set([...(known?.splits ?? []), ...(split === undefined ? [] : [split])])],
    captions: [...(known?.captions ?? []), ...captions],
  };
}

/** The folders that are searched for photos. Paths are relative to the first. */
class PhotoPlaces {
  readonly #folders: readonly string[];
  readonly #root: string;
  /** The folder of the last photo, where the next one is most likely to be. */
  #last: string;

  constructor(folders: readonly [string, ...string[]]) {
    this.#folders = folders;
    this.#root = folders[0];
    this.#last = folders[0];
  }

  /**
   * Returns the path of the first of these names that exists in any folder, relative to the first folder; the first
   * name if none exists.
   */
  async find(names: readonly string[]): Promise<string> {
    for (const folder of [this.#last, ...this.#folders]) {
      for (const name of names) {
        const found = await stat(toDiskPath(resolve(folder, name))).catch(() => undefined);
        if (!found?.isFile()) continue;
        this.#last = folder;
        return relative(this.#root, resolve(folder, name));
      }
    }
    return normalize(names[0] ?? "");
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}
