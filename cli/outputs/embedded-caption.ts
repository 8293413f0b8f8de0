import type { Stats } from "node:fs";
import { chmod, readFile, realpath, stat, utimes } from "node:fs/promises";
import type { ImageFormat } from "../../shared/image-header.ts";
import { photoIdsOf } from "../../shared/photo-id.ts";
import type { CaptionState } from "../caption-state.ts";
import type { CaptionToWrite } from "../captioned-photo.ts";
import type { Metadata } from "../exiftool.ts";
import type { FileReplacer } from "../file-replacer.ts";
import { judgeDescription, photoTags, readDescription } from "./description.ts";
import { type PhotoWriter, UnfitForCaption } from "./output.ts";

/** What ExifTool knows each format by. */
const extensions: Record<ImageFormat, string> = {
  jpeg: ".jpg",
  png: ".png",
  webp: ".webp",
  gif: ".gif",
  avif: ".avif",
  tiff: ".tif",
  heic: ".heic",
};

interface EmbedSettings {
  files: FileReplacer;
  metadata: Metadata;
  state: Pick<CaptionState, "hasSaid" | "carryOver">;
  /** Also what a person wrote. */
  overwrite: boolean;
}

/**
 * `--embed`: the description inside the photo. A copy takes the photo's place once it is whole, with the same times and
 * rights; where its content id can be told, only if that is the same.
 */
export function embeddedCaptions({ files, metadata, state, overwrite }: EmbedSettings): PhotoWriter {
  return {
    async write(caption) {
      const file = await realpath(caption.file); // a link stays a link
      const before = await stat(file);
      const description = await readDescription(metadata, file);
      const judgement = judgeDescription(description, caption, { state, overwrite });
      if (judgement !== "write") return judgement;
      const extension = extensions[caption.format];
      await files.replace(
        file,
        async (copy) => {
          await metadata.writeCopy({ file, copy, extension }, photoTags(caption, description));
          await rememberCopy(copy, caption, state);
          await chmod(copy, before.mode);
          await utimes(copy, before.atimeMs / 1000, before.mtimeMs / 1000); // finer than a Date
          await expectUntouched(file, before);
        },
        { extension },
      );
      return "written";
    },
  };
}

/** A format without a content id gets a new byte id by the caption: what is known of the photo is kept under that, too. */
async function rememberCopy(copy: string, { photo }: CaptionToWrite, state: EmbedSettings["state"]): Promise<void> {
  const bytes = new Uint8Array(await readFile(copy));
  const ids = await photoIdsOf(bytes);
  if (ids.contentId !== photo.contentId) {
    throw new UnfitForCaption("with its caption it would be another photo; nothing was written");
  }
  if (ids.contentId === undefined) await state.carryOver(photo, ids.id);
}

async function expectUntouched(file: string, before: Stats): Promise<void> {
  const now = await stat(file);
  if (now.size !== before.size || now.mtimeMs !== before.mtimeMs) {
    throw new UnfitForCaption("it changed while its caption was written; nothing was written");
  }
}
