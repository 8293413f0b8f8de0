import type { CaptionScores } from "./score/score-captions.ts";

/** What `scores.json` holds. */
export interface Evaluation {
  model: string;
  revision: string;
  split: string;
  photos: number;
  searches: SearchEvaluation[];
}

interface SearchEvaluation extends CaptionScores {
  /** `greedy` or `beam <n>`. */
  search: string;
  /** How many of the captions differ. */
  captions: number;
  /** How many different words they use. */
  words: number;
}

const columns = ["B1", "B2", "B3", "B4", "ROUGE-L", "CIDEr", "captions", "words"];
const width = 9;

/** The scores as a table, times 100 as papers print them. */
export function describeEvaluation({ model, revision, split, photos, searches }: Evaluation): string {
  const row = (name: string, cells: readonly string[]) =>
    `${name.padEnd(8)}${cells.map((cell) => cell.padStart(width)).join("")}\n`;
  const rows = searches.map(({ search, bleu1, bleu2, bleu3, bleu4, rougeL, cider, captions, words }) => {
    const scores = [bleu1, bleu2, bleu3, bleu4, rougeL, cider].map((score) => (100 * score).toFixed(1));
    return row(search, [...scores, String(captions), String(words)]);
  });
  return `${model} ${revision}, ${photos} ${split} photos\n${row("", columns)}${rows.join("")}`;
}
