import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";
import { fromDiskPath, toDiskPath } from "../../files/disk-path.ts";
import type { Metadata } from "../../files/exiftool.ts";
import type { FileReplacer } from "../../files/file-replacer.ts";
import type { StateFile } from "../state/state-file.ts";
import { type Description, holdsNothingElse, judgeDescription, readDescription, xmpTags } from "./description.ts";
import type { CaptionToWrite, PhotoWriter } from "./output.ts";
import { isSidecarThere, type SidecarClaims, stemPath } from "./sidecar-path.ts";

/** `full` is `photo.jpg.xmp`, as digiKam, Immich and darktable name it; `stem` is `photo.xmp`, as Lightroom does. */
export const xmpNames = ["full", "stem"] as const;

export type XmpName = (typeof xmpNames)[number];

interface XmpSettings {
  name: XmpName;
  files: FileReplacer;
  metadata: Metadata;
  state: Pick<StateFile, "hasSaid">;
  claims: SidecarClaims;
  /** Whether to replace also what a person wrote. */
  overwrite: boolean;
}

/**
 * Writes descriptions in sidecars for `--xmp`. Everything else in a sidecar stays. None is begun that would hide what a person
 * wrote into the photo or into a sidecar of the other naming. An empty caption removes ours, and begins no sidecar.
 */
export function xmpSidecars({ name, files, metadata, state, claims, overwrite }: XmpSettings): PhotoWriter {
  return {
    async write(caption) {
      const { file, path } = caption;
      const isCleared = caption.caption === "";
      const wanted = name === "full" ? `${file}.xmp` : stemPath(file, ".xmp");
      const other = name === "full" ? stemPath(file, ".xmp") : `${file}.xmp`;
      const isOtherAlone = name === "stem" && !existsSync(toDiskPath(wanted)) && existsSync(toDiskPath(other));
      const own = claims.claim(isOtherAlone ? other : wanted, path); // before any wait: the first photo by name has it
      if (own === undefined) return "shared";
      const read = async (sidecar: string) =>
        (await isSidecarThere(sidecar)) ? readDescription(metadata, sidecar) : undefined;
      const [inWanted, inOther] = [await read(wanted), await read(other)];
      const judge = (there: Description) => judgeDescription(there, caption, { state, overwrite });
      const belongsHere = inOther && (await isAbout(caption, { sidecar: other, description: inOther }));
      const isInOther = inWanted === undefined && belongsHere === "alone";
      const sidecar = isInOther ? claims.claim(other, path) : own;
      if (sidecar === undefined) return "shared";
      const there = isInOther ? inOther : inWanted;
      const judgements = [isCleared ? undefined : inOther, there].flatMap((description) =>
        description ? [judge(description)] : [],
      );
      if (judgements.includes("kept")) return "kept";
      if (there === undefined ? isCleared : judge(there) === "same") return "same";
      if (isCleared && (await holdsNothingElse(metadata, sidecar))) {
        await files.remove(sidecar);
        return "written";
      }
      if (!isCleared && judge(await readDescription(metadata, file)) === "kept") return "kept";
      const tags = xmpTags(caption, there);
      const begun = there ? sidecar : belongsHere === "shared" ? other : undefined;
      await files.replace(sidecar, (temporary) =>
        begun === undefined
          ? metadata.create(temporary, tags)
          : metadata.writeCopy({ file: begun, copy: temporary, extension: ".xmp" }, tags),
      );
      return "written";
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
