import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";
import { fromDiskPath, toDiskPath } from "../../files/disk-path.ts";
import type { Metadata } from "../../files/exiftool.ts";
import type { FileReplacer } from "../../files/file-replacer.ts";
import {
  captionTags,
  carriedTags,
  type Description,
  holdsNothingElse,
  type Judgement,
  noDescription,
  readDescription,
} from "./description.ts";
import type { CaptionToWrite, PhotoWriter } from "./output.ts";
import { isSidecarThere, type SidecarClaims, stemPath } from "./sidecar-path.ts";

/** `full` is `photo.jpg.xmp`, as digiKam, Immich and darktable name it; `stem` is `photo.xmp`, as Lightroom does. */
export const xmpNames = ["full", "stem"] as const;

export type XmpName = (typeof xmpNames)[number];

interface XmpSettings extends Judgement {
  name: XmpName;
  files: FileReplacer;
  metadata: Metadata;
  claims: SidecarClaims;
}

/**
 * Writes descriptions in sidecars for `--xmp`. Everything else in a sidecar stays. None is begun that would hide what a person
 * wrote into the photo or into a sidecar of the other naming. An empty caption removes ours, and begins no sidecar.
 */
export function xmpSidecars({ name, files, metadata, claims, ...judgement }: XmpSettings): PhotoWriter {
  return {
    async write(caption) {
      const { file, path } = caption;
      const isCleared = caption.caption === "";
      const wanted = name === "full" ? `${file}.xmp` : stemPath(file, ".xmp");
      const other = name === "full" ? stemPath(file, ".xmp") : `${file}.xmp`;
      const isOtherAlone = name === "stem" && !existsSync(toDiskPath(wanted)) && existsSync(toDiskPath(other));
      const own = claims.claim(isOtherAlone ? other : wanted, path); // before any wait: the first photo by name has it
      if (own === undefined) return ["shared"];
      const read = async (sidecar: string) =>
        (await isSidecarThere(sidecar)) ? readDescription(metadata, sidecar) : undefined;
      const [inWanted, inOther] = [await read(wanted), await read(other)];
      const judge = (there: Description) => captionTags(there, caption, judgement);
      const belongsHere = inOther && (await isAbout(caption, { sidecar: other, description: inOther }));
      const isInOther = inWanted === undefined && belongsHere === "alone";
      const sidecar = isInOther ? claims.claim(other, path) : own;
      if (sidecar === undefined) return ["shared"];
      const there = isInOther ? inOther : inWanted;
      if (!isCleared && inOther !== undefined && inOther !== there && judge(inOther).isKept) return ["kept"];
      if (there === undefined && isCleared) return ["same"];
      const begun = there ? sidecar : belongsHere === "shared" ? other : undefined;
      const inBegun = there ?? (begun === undefined ? undefined : inOther);
      const { tags, isKept } = judge(inBegun ?? noDescription);
      if (Object.keys(tags).length === 0) return [isKept ? "kept" : "same"];
      if (isCleared && !isKept && (await holdsNothingElse(metadata, sidecar, judgement))) {
        await files.remove(sidecar);
        return ["written"];
      }
      const inPhoto = isCleared ? noDescription : await readDescription(metadata, file);
      if (judge(inPhoto).isKept) return ["kept"];
      const carried = inBegun === undefined ? carriedTags(inPhoto, tags) : {};
      await files.replace(sidecar, (temporary) =>
        begun === undefined
          ? metadata.create(temporary, { ...tags, ...carried })
          : metadata.writeCopy({ file: begun, copy: temporary, extension: ".xmp" }, tags),
      );
      return isKept ? ["written", "kept"] : ["written"];
    },
  };
}

/**
 * Decides which photo a sidecar is about: this one alone, as `photo.jpg.xmp` is by its name; shared with other files of that
 * stem, of which it names none; or another, such as the raw photo beside a JPEG.
 */
async function isAbout(
  { file }: CaptionToWrite,
  { sidecar, description }: { sidecar: string; description: Description },
): Promise<"alone" | "shared" | "other"> {
  if (sidecar === `${file}.xmp`) return "alone";
  const extension = extname(file);
  if (description.extension !== undefined) {
    return `.${description.extension}`.toLowerCase() === extension.toLowerCase() ? "alone" : "other";
  }
  const stem = basename(file, extension);
  const names = (await readdir(toDiskPath(dirname(file)), { encoding: "buffer" })).map(fromDiskPath);
  const others = names.filter((name) => name !== basename(file) && basename(name, extname(name)) === stem);
  return others.every((name) => besidePhotos.test(name)) ? "alone" : "shared";
}

/** Files that accompany photos and are none themselves. */
const besidePhotos = /\.(?:xmp|txt|json|aae|thm|xml|pp3|dop)$/i;
