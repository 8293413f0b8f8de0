import type { Findings } from "../dataset.ts";
import type { Summary } from "../prepared.ts";

const namesShown = 3;

const sayings: Record<keyof Findings, string> = {
  missing: "missing, with captions but no file",
  unusable: "that cannot be read, left out",
  duplicated: "duplicated",
  inTwoSplits: "in two splits",
  withoutCaptions: "without captions, not used",
  inNoSplit: "in no split, not used",
};

/** A line for each kind of finding, with the first few by name; `summary.json` has them all. */
export function describeFindings(findings: Findings): string[] {
  const kinds: (keyof Findings)[] = [
    "missing",
    "unusable",
    "duplicated",
    "inTwoSplits",
    "withoutCaptions",
    "inNoSplit",
  ];
  return kinds.filter((kind) => findings[kind].length > 0).map((kind) => describeNames(findings[kind], sayings[kind]));
}

/** Like `2 photos in two splits: a.jpg, b.jpg`. */
function describeNames(names: readonly string[], saying: string): string {
  const more = names.length - namesShown;
  const shown = names.slice(0, namesShown).join(", ");
  return `${names.length} ${names.length === 1 ? "photo" : "photos"} ${saying}: ${shown}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The numbers that the tutorial is compared by, a line each. */
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
