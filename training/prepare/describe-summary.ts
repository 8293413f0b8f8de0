import type { DropReason } from "../../shared/clean-caption.ts";
import { terminalText } from "../../shared/terminal-text.ts";
import type { Findings } from "../dataset.ts";
import type { Summary } from "../prepared.ts";

const namesShown = 3;
const wordsShown = 5;

const sayings: Record<keyof Findings, string> = {
  missing: "missing, with captions but no file",
  unusable: "that cannot be read, left out",
  duplicated: "duplicated",
  inTwoSplits: "in two splits",
  withoutCaptions: "without captions, not used",
  inNoSplit: "in no split, not used",
  wordless: "with captions that have no word after cleaning",
};

/** Formats one line per kind of finding, with the first few by name; `summary.json` has them all. */
export function describeFindings(findings: Findings): string[] {
  const kinds: (keyof Findings)[] = [
    "missing",
    "unusable",
    "duplicated",
    "inTwoSplits",
    "withoutCaptions",
    "inNoSplit",
    "wordless",
  ];
  return kinds.filter((kind) => findings[kind].length > 0).map((kind) => describeNames(findings[kind], sayings[kind]));
}

const droppedKinds: Record<DropReason, string> = {
  digits: "words with digits",
  "one letter": "words of one letter",
  "other signs": "words with signs that are not letters",
};

/**
 * Formats one line per reason for which words were dropped, with the most frequent ones; `summary.json` has them all.
 */
export function describeDropped(dropped: Summary["dropped"]): string[] {
  return dropped.map(({ reason, captions, words }) => {
    const shown = words
      .slice(0, wordsShown)
      .map(({ word, times }) => (times === 1 ? word : `${word} (${times} times)`));
    return `${droppedKinds[reason]} left out of ${captions} ${captions === 1 ? "caption" : "captions"}: ${listShown(shown, words.length)}`;
  });
}

/** Formats names, like `2 photos in two splits: a.jpg, b.jpg`. */
function describeNames(names: readonly string[], saying: string): string {
  const shown = listShown(names.slice(0, namesShown), names.length);
  return `${names.length} ${names.length === 1 ? "photo" : "photos"} ${saying}: ${shown}`;
}

function listShown(shown: readonly string[], total: number): string {
  const more = total - shown.length;
  return `${terminalText(shown.join(", "))}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Formats the figures that the tutorial is compared by, one per line. */
export function describeSummary(summary: Summary): string {
  const lines: [string, number][] = [
    ["photos with captions", summary.photos],
    [`words after ${summary.cleaning} cleaning`, summary.words],
    ["training photos", summary.trainingPhotos],
    ["training captions", summary.trainingCaptions],
    ["training words, with start and end", summary.trainingWords],
    [`kept, seen at least ${summary.minCount} times`, summary.keptWords],
    ["vocabulary size, with padding", summary.vocabularySize],
    ["longest training caption, with start and end", summary.longestCaption],
    [summary.hasSplits ? "dev photos" : "dev photos, a tenth set aside", summary.devPhotos],
    ["test photos", summary.testPhotos],
  ];
  if (summary.emptyCaptions > 0) lines.push(["training captions without a word after cleaning", summary.emptyCaptions]);
  return lines.map(([what, count]) => `${what.padEnd(48)} ${String(count).padStart(6)}\n`).join("");
}
