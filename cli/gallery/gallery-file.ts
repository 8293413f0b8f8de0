import { existsSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { CaptionResult } from "../../shared/contract.ts";
import { AppendFile } from "../append-file.ts";
import { photoKeyOf } from "../captioned-photo.ts";
import type { FileReplacer } from "../file-replacer.ts";
import type { Listing } from "../outputs/output.ts";
import { drawCard } from "./card.ts";
import { EarlierThumbnails } from "./earlier-thumbnails.ts";
import { generator, pageFoot, pageHead } from "./page.ts";
import { makeThumbnail } from "./thumbnail.ts";

export interface Gallery extends Listing {
  /** A photo's thumbnail, unless the earlier gallery has it. */
  thumbnailOf(result: CaptionResult, read: () => Promise<Uint8Array>): Promise<string | undefined>;
}

/**
 * `--html`: a page to look at captions and correct them. It takes the earlier one's place at the end of the run; of an
 * interrupted run only where there is none, since it may lack photos that the earlier one shows.
 */
export async function openGallery(
  path: string,
  { files, title }: { files: FileReplacer; title: string },
): Promise<Gallery> {
  const isThere = existsSync(path);
  if (isThere) await expectGallery(path);
  const earlier = await EarlierThumbnails.open(path);
  const temporary = await files.temporaryFor(path);
  const page = await AppendFile.open(temporary, { size: 0 });
  await page.append(pageHead({ title }));
  return {
    async thumbnailOf(result, read) {
      return earlier.has(photoKeyOf(result)) ? undefined : makeThumbnail(await read());
    },
    async add(photo) {
      const thumbnail = photo.thumbnail ?? (await earlier.read(photoKeyOf(photo.result))) ?? "";
      await page.append(drawCard(photo, { folder: dirname(path), thumbnail }).text);
    },
    async end({ isComplete }) {
      await page.append(pageFoot);
      await page.close();
      await earlier.close();
      if (isComplete || !isThere) await files.putInPlace(temporary, path);
      else await rm(temporary);
    },
  };
}

/** `--html -`: the same page on standard output. Its links start from a folder. */
export function printedGallery({ title, folder }: { title: string; folder: string }): Gallery {
  process.stdout.write(pageHead({ title }));
  return {
    thumbnailOf: async (_, read) => makeThumbnail(await read()),
    async add(photo) {
      process.stdout.write(drawCard(photo, { folder, thumbnail: photo.thumbnail ?? "" }).text);
    },
    async end() {
      process.stdout.write(pageFoot);
    },
  };
}

/** What somebody else made is not written over. */
async function expectGallery(path: string): Promise<void> {
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(1024), 0, 1024, 0).finally(() => file.close());
  if (!buffer.toString().includes(generator))
    throw new Error(`${path}: expected a gallery of edge-caption, found another file`);
}
