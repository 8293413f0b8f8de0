import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { extname } from "node:path";
import type { CaptionState } from "../caption-state.ts";
import type { Metadata } from "../exiftool.ts";
import type { FileReplacer } from "../file-replacer.ts";
import { holdsNothingElse, judgeDescription, readDescription, xmpTags } from "./description.ts";
import type { PhotoWriter } from "./output.ts";
import { type SidecarClaims, stemPath } from "./sidecar-path.ts";

/** `full`: `photo.jpg.xmp`, as digiKam, Immich and darktable name it; `stem`: `photo.xmp`, as Lightroom does. */
export const xmpNames = ["full", "stem"] as const;

export type XmpName = (typeof xmpNames)[number];

interface XmpSettings {
  name: XmpName;
  files: FileReplacer;
  metadata: Metadata;
  state: Pick<CaptionState, "hasSaid">;
  claims: SidecarClaims;
  /** Also what a person wrote. */
  overwrite: boolean;
}

/** `--xmp`: the description in a sidecar. What else stands in one stays, and one is not begun where it would hide what a person wrote into the photo. */
export function xmpSidecars({ name, files, metadata, state, claims, overwrite }: XmpSettings): PhotoWriter {
  return {
    async write(caption) {
      const { file, path } = caption;
      const sidecar = name === "full" ? `${file}.xmp` : claims.claim(stemPath(file, ".xmp"), path);
      if (sidecar === undefined) return "shared";
      const isThere = existsSync(sidecar);
      if (!isThere && caption.caption === "") return "same";
      const there = isThere ? await readDescription(metadata, sidecar) : undefined;
      const judgement = there === undefined ? "write" : judgeDescription(there, caption, { state, overwrite });
      if (judgement !== "write") return judgement;
      if (caption.caption === "" && (await holdsNothingElse(metadata, sidecar))) {
        await rm(sidecar);
        return "written";
      }
      const inPhoto = caption.caption === "" ? undefined : await readDescription(metadata, file);
      if (inPhoto !== undefined && judgeDescription(inPhoto, caption, { state, overwrite }) === "kept") return "kept";
      const tags = xmpTags(caption, there);
      await files.replace(sidecar, (temporary) =>
        isThere
          ? metadata.writeCopy({ file: sidecar, copy: temporary, extension: extname(sidecar) }, tags)
          : metadata.create(temporary, tags),
      );
      return "written";
    },
  };
}
