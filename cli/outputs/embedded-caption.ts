import type { BigIntStats } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { fromDiskPath, toDiskPath } from "../../files/disk-path.ts";
import type { Metadata } from "../../files/exiftool.ts";
import { UnfitForCaption } from "../../files/file-error.ts";
import type { FileReplacer } from "../../files/file-replacer.ts";
import { KeyedMutex } from "../../files/file-replacer.ts";
import { identityOf, statExactly } from "../../files/keep-attributes.ts";
import { isRawPhoto } from "../../files/raw-preview.ts";
import { readPhotoFile } from "../../files/read-photo-file.ts";
import type { ImageFormat } from "../../shared/image-header.ts";
import { photoIdsOf } from "../../shared/photo-id.ts";
import type { StateFile } from "../state/state-file.ts";
import { captionTags, type Judgement, readDescription } from "./description.ts";
import type { CaptionToWrite, PhotoWriter, WriteOutcome } from "./output.ts";

/** The extension by which ExifTool recognizes each format. */
const extensions: Record<ImageFormat, string> = {
  jpeg: ".jpg",
  png: ".png",
  webp: ".webp",
  gif: ".gif",
  avif: ".avif",
  tiff: ".tif",
  heic: ".heic",
};

interface EmbedSettings extends Judgement {
  files: FileReplacer;
  metadata: Metadata;
  state: Pick<StateFile, "hasSaid" | "carryOver">;
  /** Writes the captions of raw photos, into which nothing is written. */
  sidecars: PhotoWriter;
  /** The folders of photos that were named; a link out of them is not followed. */
  roots: readonly string[];
}

/**
 * Writes descriptions inside photos for `--embed`. The copy with the caption replaces the photo once it is whole and, in
 * formats that have a content id, only if that is the same.
 */
export function embeddedCaptions(settings: EmbedSettings): PhotoWriter {
  const mutex = new KeyedMutex();
  const roots = resolveAll(settings.roots);
  return {
    async write(caption) {
      if (isRawPhoto(caption.file)) return settings.sidecars.write(caption);
      const file = await realPathOf(caption.file); // a link stays a link
      expectWithin(file, await roots);
      return mutex.run(await identityOf(file), () => embed({ caption, file }, settings)); // links lead to one photo
    },
  };
}

async function embed(
  { caption, file }: { caption: CaptionToWrite; file: string },
  { files, metadata, state, overwrite, altText }: EmbedSettings,
): Promise<WriteOutcome[]> {
  const before = await statExactly(file);
  const description = await readDescription(metadata, file);
  const { format } = caption;
  const { tags, isKept } = captionTags(description, caption, { format, state, overwrite, altText });
  if (Object.keys(tags).length === 0) return [isKept ? "kept" : "same"];
  const extension = extensions[caption.format];
  await files.replaceKeeping(
    file,
    async (copy) => {
      await metadata.writeCopy({ file, copy, extension }, tags);
      await rememberCopy(copy, caption, state);
      await expectUntouched(file, before);
    },
    { extension },
  );
  return isKept ? ["written", "kept"] : ["written"];
}

/** Throws for a file outside of the named folders, to which a link has led. */
function expectWithin(file: string, roots: ReadonlySet<string>): void {
  for (let folder = dirname(file); !roots.has(folder); folder = dirname(folder)) {
    if (folder !== dirname(folder)) continue;
    throw new UnfitForCaption(
      `it leads to ${file}, outside of the folders that were named: name that one; nothing was written into it`,
    );
  }
}

async function resolveAll(folders: readonly string[]): Promise<Set<string>> {
  const found = await Promise.all(folders.map((folder) => realPathOf(folder).catch(() => undefined)));
  return new Set(found.filter((folder) => folder !== undefined));
}

async function realPathOf(path: string): Promise<string> {
  return fromDiskPath(await realpath(toDiskPath(path), { encoding: "buffer" }));
}

/** Remembers a photo under its new byte id too: in a format without a content id, the caption changes it. */
async function rememberCopy(copy: string, { photo }: CaptionToWrite, state: EmbedSettings["state"]): Promise<void> {
  const ids = await photoIdsOf(await readPhotoFile(copy));
  if (ids.contentId !== photo.contentId) {
    throw new UnfitForCaption("with its caption it would be another photo; nothing was written");
  }
  if (ids.contentId === undefined) await state.carryOver(photo, ids.id);
}

async function expectUntouched(file: string, before: BigIntStats): Promise<void> {
  const now = await statExactly(file);
  if (now.size !== before.size || now.mtimeNs !== before.mtimeNs) {
    throw new UnfitForCaption("it changed while its caption was written; nothing was written");
  }
}
