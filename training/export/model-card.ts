import type { Manifest } from "../../shared/manifest.ts";
import type { EvidenceNetwork } from "../evidence/evidence-network.ts";
import type { ReadMergeModel } from "../fit/merge-model.ts";
import { type MergeValues, weightNames } from "../fit/merge-model.ts";
import type { Recipe } from "../fit/recipe.ts";
import type { Prepared } from "../prepared.ts";

interface CardParts {
  prepared: Prepared;
  /** The word detectors that guide the search, where they do. */
  evidence: EvidenceNetwork | undefined;
  decoder: ReadMergeModel;
  recipe: Recipe;
}

/** Writes a bundle's model card in Markdown: what it is, where its weights come from, its data and its scores. */
export function describeModel(manifest: Manifest, { prepared, decoder, evidence, recipe }: CardParts): string {
  const { id, description, provenance } = manifest;
  return `# ${id}

${sentenceCase(description)}.

${table([
  ["", ""],
  ["Encoder", encoderOf(manifest)],
  ["Decoder", decoderOf(decoder)],
  ...(evidence === undefined ? [] : [["Word detectors", detectorsOf(evidence)]]),
  ["Input", inputOf(manifest)],
  ["Search", describeSearch(manifest)],
  ["Size", sizeOf(manifest)],
  ["Licence", manifest.licence],
])}

## Where the weights come from

${provenance.map((line) => `- ${line}`).join("\n")}

## Data

${dataOf(prepared, recipe)}

## Scores

${scoresOf(manifest)}
`;
}

function encoderOf({ encoder, provenance }: Manifest): string {
  const architecture = provenance.find((line) => line.startsWith("Encoder architecture: "));
  return `${architecture?.replace(/^Encoder architecture: |\.$/g, "") ?? "that of the bundle it was trained on"}; ${encoder.featureSize} features`;
}

function decoderOf({ sizes, values }: ReadMergeModel): string {
  const { featureSize, embeddingSize, units, vocabularySize } = sizes;
  return (
    `${featureSize} features → dense ${units}; words → embedding ${embeddingSize} → LSTM ${units}; sum → dense ${units} → ` +
    `softmax over ${vocabularySize} words; ${countDecoderParameters(values).toLocaleString("en").replaceAll(",", " ")} parameters`
  );
}

function detectorsOf({ featureSize, concepts, vocabularySize }: EvidenceNetwork): string {
  return `${featureSize} features → ${concepts} detectors → a score, added in the search, for each of ${vocabularySize} words`;
}

/** Counts the parameters of a merge model, word vectors included. */
export function countDecoderParameters(values: MergeValues): number {
  return weightNames.reduce((sum, name) => sum + values[name].length, 0);
}

function inputOf({ preprocessing }: Manifest): string {
  const { width, height, kernel, divisor, offset, through } = preprocessing;
  const jpeg = through?.jpegQuality === undefined ? "" : ` and JPEG quality ${through.jpegQuality}`;
  const first =
    through === undefined ? "" : `first brought to ${through.width}×${through.height}${jpeg} where it is larger, then `;
  const shift = `value / ${divisor} ${offset < 0 ? "−" : "+"} ${Math.abs(offset)}`;
  return `any photo, ${first}squashed to ${width}×${height} (sharp's \`${kernel}\` kernel), ${shift}`;
}

function describeSearch({ search: { lengthPenalty, maxWords, repetition } }: Manifest): string {
  const cost = repetition === undefined ? "" : `, ${repetition.penalty} nats for a word that is said again`;
  return `length penalty ${lengthPenalty}, at most ${maxWords} words${cost}`;
}

function sizeOf({ files }: Manifest): string {
  return `${Math.round(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6)} MB`;
}

const whatIsKept = {
  "best epoch": "the best epoch",
  "mean of phases": "each phase's best epoch, whose weights were averaged,",
} satisfies Partial<Record<Recipe["keeps"], string>>;

function dataOf({ summary }: Prepared, { keeps }: Recipe): string {
  const { trainingPhotos, trainingCaptions, longestCaption, devPhotos, testPhotos, cleaning, vocabularySize } = summary;
  return [
    `Training: ${trainingCaptions} captions of ${trainingPhotos} photos, the longest of ${longestCaption} words with start ` +
      `and end; ${cleaning} cleaning; vocabulary ${vocabularySize} with padding.`,
    devPhotos > 0 && keeps !== "last epoch" ? `Dev: ${whatIsKept[keeps]} was chosen on ${devPhotos} photos.` : "",
    testPhotos > 0 ? `Test: ${testPhotos} photos that nothing was chosen by.` : "",
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

function scoresOf({ scores }: Manifest): string {
  if (scores.length === 0) return "None: the data have neither dev nor test photos.";
  const rows = scores.map(({ dataset, search, bleu1, bleu2, bleu3, bleu4, rougeL, cider }) => [
    dataset,
    search,
    ...[bleu1, bleu2, bleu3, bleu4, rougeL, cider].map((score) => score.toFixed(1)),
  ]);
  const heading = ["photos", "search", "BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr"];
  return `Raw references, times 100, as the public COCO caption scorer gives them:\n\n${table([heading, ...rows])}`;
}

function table([heading = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(heading), `|${"---|".repeat(heading.length)}`, ...rows.map(line)].join("\n");
}

function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
