import { existsSync } from "node:fs";
import { extname } from "node:path";
import type { CaptionState } from "../caption-state.ts";
import type { Metadata } from "../exiftool.ts";
import type { FileReplacer } from "../file-replacer.ts";
import { judgeDescription, readDescription, xmpTags } from "./description.ts";
import type { PhotoWriter } from "./output.ts";
import { SidecarClaims, stemPath } from "./sidecar-path.ts";

/** `full`: `photo.jpg.xmp`, as digiKam, Immich and darktable name it; `stem`: `photo.xmp`, as Lightroom does. */
export const xmpNames = ["full", "stem"] as const;

export type XmpName = (typeof xmpNames)[number];

interface XmpSettings {
  name: XmpName;
  files: FileReplacer;
  metadata: Metadata;
  state: Pick<CaptionState, "hasSaid">;
  /** Also what a person wrote. */
  overwrite: boolean;
}

/** `--xmp`: the description in a sidecar. What else stands in one stays, and one is not begun where it would hide what a person wrote into the photo. */
export function xmpSidecars({ name, files, metadata, state, overwrite }: XmpSettings): PhotoWriter {
  const claims = new SidecarClaims();
  return {
    async write(caption) {
      const { file, path } = caption;
      const sidecar = claims.claim(name === "full" ? `${file}.xmp` : stemPath(file, ".xmp"), path);
      const isThere = existsSync(sidecar);
      const there = isThere ? await readDescription(metadata, sidecar) : undefined;
      const judgement = there === undefined ? "write" : judgeDescription(there, caption, { state, overwrite });
      if (judgement !== "write") return judgement;
      const inPhoto = await readDescription(metadata, file);
      if (judgeDescription(inPhoto, caption, { state, overwrite }) === "kept") return "kept";
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
