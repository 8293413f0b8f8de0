import type { SearchName } from "../score/score-captions.ts";
import type { Evaluation, SearchEvaluation, SetEvaluation } from "./evaluate-captions.ts";

const scoreColumns = [
  ["B1", "bleu1"],
  ["B2", "bleu2"],
  ["B3", "bleu3"],
  ["B4", "bleu4"],
  ["ROUGE-L", "rougeL"],
  ["CIDEr", "cider"],
] as const;
const otherColumns = ["captions", "words", "length", "repeating", "in train"];
const width = 12;
const confidenceSearch = "beam 3" satisfies SearchName;

/** Formats the scores as a table, times 100 as papers print them, with their 95 % intervals below. */
export function describeEvaluation({ others = [], ...first }: Evaluation): string {
  return [first, ...others].map(describeSet).join("\n");
}

function describeSet({ model, revision, dataset, split, photos, searches }: SetEvaluation): string {
  const row = (name: string, cells: readonly string[]) =>
    `${name.padEnd(8)}${cells.map((cell) => cell.padStart(width)).join("")}\n`;
  const percent = (share: number) => (100 * share).toFixed(1);
  const rows = searches.flatMap((found) => {
    const { search, intervals, captions, words, meanLength, repeating, inTraining } = found;
    const scores = scoreColumns.map(([, name]) => percent(found[name]));
    const others = [
      String(captions),
      String(words),
      meanLength.toFixed(1),
      ...[repeating, inTraining].map((share) => `${percent(share)} %`),
    ];
    const ranges = scoreColumns.map(([, name]) => intervals[name].map(percent).join("–"));
    return [row(search, [...scores, ...others]), row("", ranges)];
  });
  const heading = [...scoreColumns.map(([name]) => name), ...otherColumns];
  const title = `${model} ${revision}, ${photos} ${split} photos${dataset === undefined ? "" : ` of ${dataset}`}\n`;
  return `${title}${row("", heading)}${rows.join("")}${describeConfidence(searches)}`;
}

/** Formats the confidence of the service's default search by tenth of the captions, beside their scores. */
function describeConfidence(searches: readonly SearchEvaluation[]): string {
  const found = searches.find(({ search }) => search === confidenceSearch);
  if (found === undefined) return "";
  const { spearman, tenths } = found.confidence;
  const row = (name: string, values: readonly string[]) =>
    `${name.padEnd(32)}${values.map((value) => value.padStart(6)).join("")}\n`;
  const percent = (of: keyof (typeof tenths)[number]) => tenths.map((tenth) => (100 * tenth[of]).toFixed(0));
  return [
    `confidence, ${confidenceSearch}, by tenth; rank correlation with CIDEr ${spearman?.toFixed(2) ?? "none"}\n`,
    row("  confidence, %", percent("confidence")),
    row("  content words in a reference, %", percent("contentPrecision")),
    row("  CIDEr", percent("cider")),
  ].join("");
}
