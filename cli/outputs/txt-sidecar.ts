import { writeFile } from "node:fs/promises";
import { toDiskPath } from "../../files/disk-path.ts";
import type { FileReplacer } from "../../files/file-replacer.ts";
import { openRegularFile } from "../../files/regular-file.ts";
import { markedCaption, unmarkedCaption } from "../../shared/caption-mark.ts";
import type { StateFile } from "../state/state-file.ts";
import type { PhotoWriter } from "./output.ts";
import { isSidecarThere, type SidecarClaims, stemPath } from "./sidecar-path.ts";

/** A limit far above any caption: a longer file is somebody's text and need not be read to the end. */
const maxCaptionBytes = 65_536;

interface TxtSettings {
  files: FileReplacer;
  /** Distinguishes captions that this program wrote from those of a person. */
  state: Pick<StateFile, "hasSaid">;
  claims: SidecarClaims;
  /** Whether to replace also what a person wrote. */
  overwrite: boolean;
}

/** Writes `photo.txt` beside `photo.jpg` for `--txt`: the caption and an end of line, as training tools for images read it. */
export function txtSidecars({ files, state, claims, overwrite }: TxtSettings): PhotoWriter {
  return {
    async write(caption) {
      const path = claims.claim(stemPath(caption.file, ".txt"), caption.path);
      if (path === undefined) return ["shared"];
      const wanted = markedCaption(caption);
      const existing = (await isSidecarThere(path)) ? await readCaption(path) : "";
      if (existing === wanted) return ["same"];
      const isCleared = wanted === "";
      if (existing !== "" && (!overwrite || isCleared) && !state.hasSaid(caption.photo, unmarkedCaption(existing)))
        return ["kept"];
      if (isCleared) await files.remove(path);
      else await files.replace(path, (temporary) => writeFile(toDiskPath(temporary), `${wanted}\n`));
      return ["written"];
    },
  };
}

async function readCaption(path: string): Promise<string> {
  const file = await openRegularFile(path, { followsLinks: false });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxCaptionBytes), 0, maxCaptionBytes, 0);
    return buffer.subarray(0, bytesRead).toString().trim();
  } finally {
    await file.close();
  }
}
