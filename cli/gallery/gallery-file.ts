import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { openPhoto } from "../../captioner/images/open-photo.ts";
import { AppendFile } from "../../files/append-file.ts";
import type { FileReplacer } from "../../files/file-replacer.ts";
import { openRegularFile } from "../../files/regular-file.ts";
import { putInPlace } from "../../files/write-whole.ts";
import { type CaptionResult, defaultMaxPixels } from "../../shared/contract.ts";
import { invocationFolder } from "../../terminal/command-line.ts";
import type { Listing } from "../outputs/output.ts";
import { type OutputStream, openOutputStream } from "../outputs/output-stream.ts";
import { photoKeyOf } from "../state/state-index.ts";
import { drawCard } from "./card.ts";
import { EarlierThumbnails } from "./earlier-thumbnails.ts";
import { drawPageFoot, drawPageHead, generator } from "./page.ts";

export interface Gallery extends Listing {
  /** A photo's thumbnail, unless the earlier gallery has it. */
  thumbnailOf(result: CaptionResult, read: () => Promise<Uint8Array>): Promise<string | undefined>;
}

interface GallerySettings {
  files: FileReplacer;
  title: string;
  /** Ends the wait for the reader of a pipe. */
  signal: AbortSignal;
}

/**
 * `--html`: a page to look at captions and correct them. It takes the earlier one's place at the end of the run; of an
 * interrupted run only if there is none, since it may lack photos that the earlier one shows.
 */
export async function openGallery(path: string, { files, title, signal }: GallerySettings): Promise<Gallery> {
  const stream = await openOutputStream(path, { signal });
  if (stream !== undefined) return streamedGallery(stream, { title, folder: invocationFolder() }); // a pipe has no folder
  return drawGallery(await openPage(path, files), { title, folder: dirname(path) });
}

/** The same page into a pipe or, for `--html -`, on standard output. Its links start from a folder. */
export function streamedGallery(page: OutputStream, head: PageHead): Promise<Gallery> {
  return drawGallery({ page, publish: async () => {} }, head);
}

async function drawGallery({ page, earlier, publish }: Page, { title, folder }: PageHead): Promise<Gallery> {
  const foot = drawPageFoot(); // read now: the package may be replaced during a long run
  await page.append(drawPageHead({ title }));
  return {
    async thumbnailOf(result, read) {
      return earlier?.has(photoKeyOf(result)) ? undefined : makeThumbnail(await read());
    },
    async add(photo) {
      const thumbnail = photo.thumbnail ?? (await earlier?.read(photoKeyOf(photo.result))) ?? "";
      await page.append(drawCard(photo, { folder, thumbnail }).text);
    },
    async end({ isComplete }) {
      await page.append(foot);
      await page.close();
      await publish({ isComplete });
    },
  };
}

interface Page {
  page: Pick<AppendFile, "close"> & { append(text: string): Promise<unknown> };
  earlier?: EarlierThumbnails;
  publish(run: { isComplete: boolean }): Promise<void>;
}

interface PageHead {
  title: string;
  /** What links start from. */
  folder: string;
}

async function openPage(path: string, files: FileReplacer): Promise<Page> {
  const isThere = existsSync(path);
  if (isThere) await expectGallery(path);
  const earlier = await EarlierThumbnails.open(path);
  const temporary = await files.temporaryFor(path);
  return {
    page: await AppendFile.open(temporary, { size: 0 }),
    earlier,
    async publish({ isComplete }) {
      await earlier.close();
      if (isComplete || !isThere) await putInPlace(temporary, path);
      else await rm(temporary);
    },
  };
}

/** Throws if the file is not a gallery: other programs' files are not overwritten. */
async function expectGallery(path: string): Promise<void> {
  const file = await openRegularFile(path);
  const { buffer } = await file.read(Buffer.alloc(1024), 0, 1024, 0).finally(() => file.close());
  if (!buffer.toString().includes(generator))
    throw new Error(`${path}: expected a gallery of edge-caption, found another file`);
}

const thumbnail = { side: 320, quality: 60 };

/** Makes a small upright WebP of a photo, as a `data:` URI: about ten kilobytes, so that a page can show a thousand. */
async function makeThumbnail(bytes: Uint8Array): Promise<string> {
  const photo = await openPhoto(bytes, { maxPixels: defaultMaxPixels });
  const small = await photo
    .resize({ width: thumbnail.side, height: thumbnail.side, fit: "inside", withoutEnlargement: true })
    .webp({ quality: thumbnail.quality })
    .toBuffer();
  return `data:image/webp;base64,${small.toString("base64")}`;
}
