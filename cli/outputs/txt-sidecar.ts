import { readFile, rm, writeFile } from "node:fs/promises";
import type { CaptionState } from "../caption-state.ts";
import { markedCaption, unmarkedCaption } from "../captioned-photo.ts";
import type { FileReplacer } from "../file-replacer.ts";
import type { PhotoWriter } from "./output.ts";
import { type SidecarClaims, stemPath } from "./sidecar-path.ts";

interface TxtSettings {
  files: FileReplacer;
  /** Tells captions that we wrote from those of a person. */
  state: Pick<CaptionState, "hasSaid">;
  claims: SidecarClaims;
  /** Also what a person wrote. */
  overwrite: boolean;
}

/** `--txt`: `photo.txt` beside `photo.jpg`, the caption and an end of line, as training tools for images read it. */
export function txtSidecars({ files, state, claims, overwrite }: TxtSettings): PhotoWriter {
  return {
    async write(caption) {
      const path = claims.claim(stemPath(caption.file, ".txt"), caption.path);
      if (path === undefined) return "shared";
      const wanted = markedCaption(caption);
      const existing = (await readIfThere(path))?.trim() ?? "";
      if (existing === wanted) return "same";
      const isCleared = wanted === "";
      if (existing !== "" && (!overwrite || isCleared) && !state.hasSaid(caption.photo, unmarkedCaption(existing)))
        return "kept";
      if (isCleared) await rm(path);
      else await files.replace(path, (temporary) => writeFile(temporary, `${wanted}\n`));
      return "written";
    },
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
