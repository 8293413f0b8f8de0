import { lstatSync } from "node:fs";
import { extname, resolve } from "node:path";
import pMap from "p-map";
import { expectExifTool, Metadata, type RawTags } from "../../cli/exiftool.ts";
import { PassedOver } from "../../cli/passed-over.ts";
import { showProgress } from "../../cli/progress.ts";
import { walkFolder } from "../../cli/walk-folder.ts";
import { everyWordOf, type LabelledPhotos, singleWords, type WordedPhoto } from "./read-words.ts";

/** Where Lightroom, digiKam and others keep keywords. Hierarchies stand there level by level. */
const keywordTags = ["XMP-dc:Subject", "IPTC:Keywords"];

/** People write what is there, but not everything that is there. */
const keywordProbability = 0.95;

const photosAtOnce = 4;

/** The photos below a folder that have keywords, in them or in a sidecar (`photo.xmp`, `photo.jpg.xmp`). */
export async function readKeywords(folder: string): Promise<LabelledPhotos> {
  await expectExifTool("--keywords");
  const files: string[] = [];
  for await (const found of walkFolder("", { folder, passedOver: new PassedOver() })) {
    if ("error" in found) throw new Error(`${resolve(folder, found.path)}: ${found.error}`);
    files.push(resolve(folder, found.path));
  }
  const metadata = new Metadata();
  const progress = showProgress("reading keywords", { total: files.length, unit: "photos" });
  try {
    const read = async (file: string): Promise<WordedPhoto | undefined> => {
      const keywords = new Set<string>();
      for (const place of [file, ...sidecarsOf(file)]) {
        const tags = await metadata.read(place, keywordTags).catch((): RawTags => ({})); // whether it is a photo, prepare tells
        for (const tag of keywordTags) for (const keyword of [tags[tag] ?? []].flat()) keywords.add(String(keyword));
      }
      progress.advance();
      const words = singleWords(Object.fromEntries([...keywords].map((keyword) => [keyword, keywordProbability])));
      return words.size === 0 ? undefined : { file, words };
    };
    const photos = (await pMap(files, read, { concurrency: photosAtOnce })).filter((photo) => photo !== undefined);
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
    (path) => lstatSync(path, { throwIfNoEntry: false })?.isFile(), // reading a pipe would never end
  );
}
