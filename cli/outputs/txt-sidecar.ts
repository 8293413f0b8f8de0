import { readFile, writeFile } from "node:fs/promises";
import type { CaptionState } from "../caption-state.ts";
import { markedCaption, unmarkedCaption } from "../captioned-photo.ts";
import type { FileReplacer } from "../file-replacer.ts";
import type { PhotoWriter } from "./output.ts";
import { SidecarClaims, stemPath } from "./sidecar-path.ts";

interface TxtSettings {
  files: FileReplacer;
  /** Tells captions that we wrote from those of a person. */
  state: Pick<CaptionState, "hasSaid">;
  /** Also what a person wrote. */
  overwrite: boolean;
}

/** `--txt`: `photo.txt` beside `photo.jpg`, the caption and an end of line, as training tools for images read it. */
export function txtSidecars({ files, state, overwrite }: TxtSettings): PhotoWriter {
  const claims = new SidecarClaims();
  return {
    async write(caption) {
      const path = claims.claim(stemPath(caption.file, ".txt"), caption.path);
      const wanted = markedCaption(caption);
      const existing = (await readIfThere(path))?.trim() ?? "";
      if (existing === wanted) return "same";
      if (existing !== "" && !overwrite && !state.hasSaid(caption.photo, unmarkedCaption(existing))) return "kept";
      await files.replace(path, (temporary) => writeFile(temporary, `${wanted}\n`));
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
