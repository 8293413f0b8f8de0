import { markedCaption } from "../../shared/caption-mark.ts";
import { terminalJson, terminalText } from "../../shared/terminal-text.ts";
import { type Gallery, streamedGallery } from "../gallery/gallery-file.ts";
import { streamedTable } from "./csv-file.ts";
import { jsonLineOf } from "./jsonl-file.ts";
import type { Listing } from "./output.ts";
import { standardOutput } from "./output-stream.ts";

/** Forms of captions on standard output. */
export type PrintedForm = "captions" | "json" | "table" | "gallery" | "nothing";

interface PrintedRun {
  /** Whether there is only one photo. */
  isAlone: boolean;
  title: string;
  /** The folder that links start from. */
  folder: string;
}

/** Opens the listing that goes to standard output; undefined if nothing does. */
export async function openStandardOutput(
  form: PrintedForm,
  { isAlone, title, folder }: PrintedRun,
): Promise<(Listing & Partial<Pick<Gallery, "thumbnailOf">>) | undefined> {
  if (form === "captions") return printedCaptions({ isAlone });
  if (form === "json") return printedJson;
  if (form === "table") return streamedTable(standardOutput());
  return form === "gallery" ? streamedGallery(standardOutput(), { title, folder }) : undefined;
}

/** Prints captions for people, all that were asked for; the path comes before each if there are several photos. */
function printedCaptions({ isAlone }: { isAlone: boolean }): Listing {
  return {
    async add(photo) {
      const [, ...others] = photo.result.candidates;
      for (const caption of [markedCaption(photo), ...others.map((candidate) => candidate.caption)]) {
        process.stdout.write(`${terminalText(isAlone ? caption : `${photo.path}: ${caption}`)}\n`);
      }
    },
    end: async () => {},
  };
}

/** Prints a JSON object per line for `--json`. */
const printedJson: Listing = {
  async add(photo) {
    process.stdout.write(`${terminalJson(jsonLineOf(photo))}\n`);
  },
  miss({ path, error }) {
    process.stdout.write(`${terminalJson({ path, error })}\n`);
  },
  end: async () => {},
};
