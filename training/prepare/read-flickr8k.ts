import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { placeOf, readLines } from "../../files/read-lines.ts";
import { digestFile } from "../../files/regular-file.ts";
import { imageIdOf } from "../../shared/clean-caption.ts";
import { quote } from "../../shared/errors.ts";
import { type Dataset, type Split, splits } from "../dataset.ts";

export const tokenFile = "Flickr8k.token.txt";
const listFiles: Record<Split, string> = {
  train: "Flickr_8k.trainImages.txt",
  dev: "Flickr_8k.devImages.txt",
  test: "Flickr_8k.testImages.txt",
};
/** Names of the photo folder; the second is the original archive's spelling. */
const photoFolders = ["images", "Flicker8k_Dataset", "Flickr8k_Dataset"];
const photoName = /\.(jpe?g|png|webp|gif|avif|tiff?)$/i;

/** Reads Flickr8k's layout: a token file with the captions, one list per split, and a folder of photos. */
export async function readFlickr8k(folder: string): Promise<Dataset> {
  const sources = await digestSources(folder); // first, so that a change while we read is noticed next time
  const captioned = await readTokenFile(join(folder, tokenFile));
  const { splitsOf, listedTwice } = await readLists(folder);
  const photoFolder = await findPhotoFolder(folder);
  const isCaptioned = (name: string) => captioned.has(imageIdOf(name));
  const listed = [...splitsOf].map(([id, { name }]) => ({ id, name })).filter(({ name }) => !isCaptioned(name));
  const lying = photoFolder.names.filter((name) => photoName.test(name) && !isCaptioned(name));
  return {
    folder,
    sources,
    photos: [...captioned].map(([id, { name, captions }]) => ({
      id,
      file: `${photoFolder.name}/${name}`,
      splits: [...(splitsOf.get(id)?.splits ?? [])],
      captions,
    })),
    hasSplits: true,
    findings: {
      duplicated: listedTwice,
      withoutCaptions: [...new Set([...listed.map(({ name }) => name), ...lying])],
    },
  };
}

interface Captioned {
  name: string;
  captions: string[];
}

/** Reads lines of `<file name>#<number>`, a tab and a caption, by image id in order of first appearance. */
async function readTokenFile(path: string): Promise<Map<string, Captioned>> {
  const photos = new Map<string, Captioned>();
  for await (const { number, text } of readLines(path)) {
    const { name, caption } = /^(?<name>[^\t]+)#\d+\t\s*(?<caption>.+)$/s.exec(text)?.groups ?? {};
    if (name === undefined || caption === undefined) {
      throw new Error(
        `${placeOf({ path, number })}: expected <file name>#<number>, a tab and a caption, found ${quote(text)}`,
      );
    }
    const id = imageIdOf(name);
    const known = photos.get(id);
    if (known === undefined) photos.set(id, { name, captions: [caption] });
    else {
      known.name = shorterName(known.name, name, { place: placeOf({ path, number }) });
      known.captions.push(caption);
    }
  }
  return photos;
}

/**
 * Returns the shorter of two names of a photo: Flickr8k itself calls one photo `….jpg` and `….jpg.1`. Other names that
 * share an id are two photos.
 */
function shorterName(one: string, other: string, { place }: { place: string }): string {
  const [shorter, longer] = one.length <= other.length ? [one, other] : [other, one];
  if (longer === shorter || longer.startsWith(`${shorter}.`)) return shorter;
  throw new Error(
    `${place}: expected names that differ before their first dot, found ${quote(one)} and ${quote(other)}`,
  );
}

/** Reads which splits list a photo, by image id. */
async function readLists(folder: string) {
  const splitsOf = new Map<string, { name: string; splits: Set<Split> }>();
  const listedTwice: string[] = [];
  for (const split of splits) {
    for await (const { text } of readLines(join(folder, listFiles[split]))) {
      const name = text.trim();
      const listed = splitsOf.get(imageIdOf(name)) ?? { name, splits: new Set() };
      if (listed.splits.has(split)) listedTwice.push(`${name} (twice in ${listFiles[split]})`);
      listed.splits.add(split);
      splitsOf.set(imageIdOf(name), listed);
    }
  }
  return { splitsOf, listedTwice };
}

async function findPhotoFolder(folder: string): Promise<{ name: string; names: string[] }> {
  const there = await readdir(folder);
  const name = photoFolders.find((candidate) => there.includes(candidate));
  if (name === undefined) throw new Error(`${folder}: expected the photos in a folder images, found none of that name`);
  return { name, names: (await readdir(join(folder, name))).toSorted() };
}

async function digestSources(folder: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const name of [tokenFile, ...splits.map((split) => listFiles[split])]) {
    digests[name] = (await digestFile(join(folder, name))).sha256;
  }
  return digests;
}
