import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { toDiskPath } from "../../files/disk-path.ts";
import { PassedOver } from "../../files/find/search-result.ts";
import { walkFolder } from "../../files/find/walk-folder.ts";
import { readRegularFile } from "../../files/regular-file.ts";
import { unmarkedCaption } from "../../shared/caption-mark.ts";
import type { Dataset, DatasetPhoto } from "../dataset.ts";

/** Extensions of caption files, which replace the photo's extension or follow it. */
const textExtensions = [".txt", ".caption"];

/**
 * Reads a folder of photos with a text file each, `photo.jpg` and `photo.txt` or `photo.caption`: one caption per line.
 */
export async function readPhotoTexts(folder: string): Promise<Dataset | undefined> {
  const photos: DatasetPhoto[] = [];
  const withoutCaptions: string[] = [];
  const digest = createHash("sha256");
  for await (const found of walkFolder("", { folder, passedOver: new PassedOver() })) {
    if ("error" in found) throw new Error(`${resolve(folder, found.path)}: ${found.error}`);
    const { path: file } = found;
    const text = await readText(folder, file);
    const captions =
      text
        ?.split(/\r\n|\r|\n/)
        .map((line) => unmarkedCaption(line.trim()))
        .filter((line) => line !== "") ?? [];
    if (captions.length === 0) withoutCaptions.push(file);
    else photos.push({ id: file, file, splits: [], captions });
    digest.update(JSON.stringify([file, captions]));
  }
  if (photos.length === 0) return undefined;
  const sources = { "texts beside the photos": digest.digest("hex") };
  return { folder, sources, photos, hasSplits: false, findings: { duplicated: [], withoutCaptions } };
}

async function readText(folder: string, file: string): Promise<string | undefined> {
  const stem = file.slice(0, file.length - extname(file).length);
  for (const name of textExtensions.flatMap((extension) => [stem + extension, file + extension])) {
    const there = await stat(toDiskPath(resolve(folder, name))).catch(() => undefined);
    if (!there?.isFile()) continue; // reading a pipe would never end
    const bytes = await readRegularFile(resolve(folder, name));
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (cause) {
      throw new Error(`${resolve(folder, name)}: expected UTF-8, found invalid bytes`, { cause });
    }
  }
  return undefined;
}
