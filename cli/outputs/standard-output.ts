import { markedCaption } from "../../shared/caption-mark.ts";
import { terminalJson, terminalText } from "../../shared/terminal-text.ts";
import { jsonLineOf } from "./jsonl-file.ts";
import type { Listing } from "./output.ts";

/** Captions for people to read, with all that were asked for; the path before each, where there is more than one photo. */
export function printedCaptions({ isAlone }: { isAlone: boolean }): Listing {
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

/** `--json`: a JSON object a line. */
export function printedJson(): Listing {
  return {
    async add(photo) {
      process.stdout.write(`${terminalJson(jsonLineOf(photo))}\n`);
    },
    miss({ path, error }) {
      process.stdout.write(`${terminalJson({ path, error })}\n`);
    },
    end: async () => {},
  };
}
