import { lstatSync } from "node:fs";
import { extname, resolve } from "node:path";
import pMap from "p-map";
import { toDiskPath } from "../../files/disk-path.ts";
import { expectExifTool, Metadata, type RawTags } from "../../files/exiftool.ts";
import { PassedOver } from "../../files/find/search-result.ts";
import { walkFolder } from "../../files/find/walk-folder.ts";
import { unfitReason } from "../../files/read-photo-file.ts";
import { openRegularFile } from "../../files/regular-file.ts";
import { say, showProgress } from "../../terminal/progress.ts";
import { everyWordOf, type LabelledPhotos, singleWords, type WordedPhoto } from "./read-words.ts";

/** Tags in which Lightroom, digiKam and others store keywords, hierarchies level by level. */
const keywordTags = ["XMP-dc:Subject", "IPTC:Keywords"];

/** Probability of a keyword: people write what is there, but not everything that is there. */
const keywordProbability = 0.95;

const photosAtOnce = 4;

/**
 * Reads the photos below a folder that have keywords, embedded or in a sidecar (`photo.xmp`, `photo.jpg.xmp`). A photo
 * that cannot be read, or whose sidecar cannot, is skipped and reported.
 */
export async function readKeywords(folder: string): Promise<LabelledPhotos> {
  await expectExifTool("--keywords");
  const files: string[] = [];
  for await (const found of walkFolder("", { folder, passedOver: new PassedOver() })) {
    if ("error" in found) throw new Error(`${resolve(folder, found.path)}: ${found.error}`);
    files.push(resolve(folder, found.path));
  }
  const metadata = new Metadata();
  const progress = showProgress("reading keywords", { total: files.length, unit: "photos" });
  let unreadable = 0;
  try {
    const read = async (file: string): Promise<WordedPhoto | undefined> => {
      const keywords = new Set<string>();
      for (const place of [file, ...sidecarsOf(file)]) {
        const problem = await findProblem(place);
        if (problem !== undefined) {
          unreadable += 1;
          progress.advance();
          say(`${place}: ${problem}`);
          return undefined;
        }
        const tags = await metadata.read(place, keywordTags).catch((): RawTags => ({})); // prepare reports whether it is a photo
        for (const tag of keywordTags) for (const keyword of [tags[tag] ?? []].flat()) keywords.add(String(keyword));
      }
      progress.advance();
      const words = singleWords(Object.fromEntries([...keywords].map((keyword) => [keyword, keywordProbability])));
      return words.size === 0 ? undefined : { file, words };
    };
    const photos = (await pMap(files, read, { concurrency: photosAtOnce })).filter((photo) => photo !== undefined);
    if (unreadable > 0) say(describeUnreadable(unreadable));
    if (photos.length === 0)
      throw new Error(`${folder}: expected photos with keywords, found none in ${files.length} photos`);
    return { photos, known: everyWordOf(photos) };
  } finally {
    progress.end();
    await metadata.close();
  }
}

function sidecarsOf(file: string): string[] {
  return [`${file}.xmp`, `${file.slice(0, file.length - extname(file).length)}.xmp`].filter(
    (path) => lstatSync(toDiskPath(path), { throwIfNoEntry: false }) !== undefined,
  );
}

/**
 * Returns why a file cannot be read; undefined if it can. ExifTool would report no tags, or wait forever for a pipe's
 * writer.
 */
async function findProblem(path: string): Promise<string | undefined> {
  try {
    const file = await openRegularFile(path);
    await file.read(Buffer.alloc(1), 0, 1, 0).finally(() => file.close());
    return undefined;
  } catch (error) {
    const reason = unfitReason(error);
    if (reason === undefined) throw error;
    return reason;
  }
}

function describeUnreadable(count: number): string {
  return count === 1
    ? "1 photo is left out: its keywords cannot be read"
    : `${count} photos are left out: their keywords cannot be read`;
}
