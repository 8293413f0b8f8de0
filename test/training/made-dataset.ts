import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DataSource } from "../../training/dataset.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { madeImage } from "../fixtures/made-images.ts";

/** A place of captions as the command line names it, without anything else. */
export function oneSource(path: string): DataSource[] {
  return [{ path, weight: 1, isDev: false }];
}

/** More than ten different words, each in more than one caption, so that a minimum count of 2 learns them. */
export const enoughCaptions = [
  "A brown dog runs over the green grass .",
  "The brown dog runs and a black cat sits on the green grass .",
  "A black cat sits and the dog runs on the grass .",
];

interface MadeFlickr8k {
  /** Lines of the token file as text or bytes; without them, two photos of three captions. */
  tokens?: string | Uint8Array;
  train?: readonly string[];
  dev?: readonly string[];
  test?: readonly string[];
  photos?: readonly string[];
  photoFolder?: string;
}

/** A folder in Flickr8k's layout, of photos made for the test. */
export async function makeFlickr8k({
  tokens = [...tokensOf("one.jpg"), ...tokensOf("two.jpg")].join("\n"),
  train = ["one.jpg"],
  dev = ["two.jpg"],
  test = [],
  photos = ["one.jpg", "two.jpg"],
  photoFolder = "images",
}: MadeFlickr8k = {}): Promise<string> {
  const folder = join(await temporaryFolder(), "data");
  await mkdir(join(folder, photoFolder), { recursive: true });
  await writeFile(join(folder, "Flickr8k.token.txt"), tokens);
  for (const [split, names] of Object.entries({ train, dev, test })) {
    await writeFile(join(folder, `Flickr_8k.${split}Images.txt`), names.join("\n"));
  }
  await writePhotos(join(folder, photoFolder), photos);
  return folder;
}

/** Lines of a token file for one photo. */
export function tokensOf(name: string, captions: readonly string[] = enoughCaptions): string[] {
  return captions.map((caption, index) => `${name}#${index}\t${caption}`);
}

/** A JSONL file of the given values or lines, with its photos beside it. */
export async function makeJsonl(
  lines: readonly (object | string)[],
  { photos = [] }: { photos?: readonly string[] } = {},
): Promise<string> {
  const folder = await temporaryFolder();
  await writePhotos(folder, photos);
  const path = join(folder, "captions.jsonl");
  await writeFile(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  return path;
}

/** Small photos, each different: what follows a PNG's end belongs to no picture. */
async function writePhotos(folder: string, names: readonly string[]): Promise<void> {
  const picture = await madeImage("png", { width: 8, height: 8 });
  for (const name of names) await writeFile(join(folder, name), Buffer.concat([picture, Buffer.from(name)]));
}
