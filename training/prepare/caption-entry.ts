import { readdir, stat } from "node:fs/promises";
import { basename, join, normalize, relative, resolve } from "node:path";
import { toDiskPath } from "../../files/disk-path.ts";
import { digestFile } from "../../files/regular-file.ts";
import type { CaptionedPhoto, Dataset, Split } from "../dataset.ts";

/** What a line, a row or a record of a caption file says of a photo. */
export interface CaptionEntry {
  /** Paths that the photo may have, relative to a folder of photos; the likeliest first. */
  names: readonly string[];
  captions: readonly string[];
  split?: Split | undefined;
  /** Where it stands, for messages. */
  place: string;
}

interface EntrySource {
  /** The caption file. */
  path: string;
  /** Folders to look for photos in, after the file's own. */
  images: readonly string[];
  entries: AsyncIterable<CaptionEntry> | Iterable<CaptionEntry>;
  /** Whether each photo is expected on one entry, so that another of the same photo is worth telling of. */
  isEntryPerPhoto?: boolean;
}

/**
 * Joins entries to photos. A photo's id is its path. Several entries may name one photo: their captions are put together.
 * Throws a sentence where some entries have a split and others have none.
 */
export async function collectPhotos({ path, images, entries, isEntryPerPhoto }: EntrySource): Promise<Dataset> {
  const { sha256 } = await digestFile(path); // first: a change while we read then counts as one
  const folder = resolve(path, "..");
  const places = new PhotoPlaces([folder, ...images, ...(await foldersIn(folder))]);
  const photos = new Map<string, CaptionedPhoto>();
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

function joined(known: CaptionedPhoto | undefined, { file, captions, split }: NewCaptions): CaptionedPhoto {
  return {
    id: file,
    file,
    splits: [...new Set([...(known?.splits ?? []), ...(split === undefined ? [] : [split])])],
    captions: [...(known?.captions ?? []), ...captions],
  };
}

/** The folders in which photos are looked for, the first of which paths are relative to. */
class PhotoPlaces {
  readonly #folders: readonly string[];
  readonly #root: string;
  /** Where the last photo was, since the next one is most often there, too. */
  #last: string;

  constructor(folders: readonly [string, ...string[]]) {
    this.#folders = folders;
    this.#root = folders[0];
    this.#last = folders[0];
  }

  /** The path of the first of these names that some folder has, relative to the first folder; where none has it, the first name. */
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
