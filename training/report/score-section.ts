import { html, type Markup } from "../../shared/html.ts";
import type { SearchEvaluation } from "../evaluate/evaluate-captions.ts";
import type { Prepared } from "../prepared.ts";
import type { CaptionScores } from "../score/score-captions.ts";
import { grouped, range, times100 } from "./figures.ts";
import type { ReportInput } from "./report-input.ts";
import { type Section, table } from "./section.ts";

const columns = [
  ["BLEU-1", "bleu1"],
  ["BLEU-2", "bleu2"],
  ["BLEU-3", "bleu3"],
  ["BLEU-4", "bleu4"],
  ["ROUGE-L", "rougeL"],
  ["CIDEr", "cider"],
] as const;

const none = "–";

/** The scores of every search, beside published ones if they compare, and what the captions are like. */
export function scoreSection({ evaluation, prepared, split }: ReportInput): Section {
  const { searches, photos } = evaluation;
  const isComparable = isPublishedTestSplit(prepared, split);
  const names = columns.map(([name]) => name);
  const published = isComparable
    ? publishedScores.map((row) => [
        row.name,
        ...columns.map(([, score]) => row[score]?.toFixed(1) ?? none),
        row.meteor?.toFixed(1) ?? none,
      ])
    : [];
  const own = searches.map((search) => [
    `this model, ${search.search}`,
    ...scoreCells(search),
    ...(isComparable ? [none] : []),
  ]);
  return {
    id: "scores",
    title: "Scores",
    body: html`<p>Of ${grouped(photos)} photos of the ${split} split, times 100, as the public COCO caption scorer gives them on the references as they
were written. Below each score is its 95 % interval (bootstrap over the photos): how far it moves with
other photos of the same kind. METEOR is not measured here.</p>
${table({
  caption: `Scores on the ${split} split`,
  heading: ["", ...names, ...(isComparable ? ["METEOR"] : [])],
  rows: [...own, ...published],
})}${isComparable ? comparisonNote : html`<p>Published scores are of Flickr8k's test split and do not compare with these.</p>`}
${table({
  caption: "What the captions are like",
  heading: [
    "",
    "different captions",
    "different words",
    "words a caption",
    "with a content word twice",
    "in the training captions",
  ],
  rows: searches.map(({ search, captions, words, meanLength, repeating, inTraining }) => [
    search,
    grouped(captions),
    grouped(words),
    meanLength.toFixed(1),
    `${times100(repeating)} %`,
    `${times100(inTraining)} %`,
  ]),
})}<p>“In the training captions” is the share of captions that somebody wrote word for word about a training photo.</p>`,
  };
}

const comparisonNote = html`<p>The published rows are as their papers give them; a dash is a score that a paper does not give. They come from other
encoders and other code for the scores, so differences of a point or two mean little.</p>`;

function scoreCells({ intervals, ...search }: SearchEvaluation): Markup[] {
  return columns.map(([, score]) => html`${times100(search[score])}<small>${range(intervals[score])}</small>`);
}

/** Times 100. What a paper does not give is absent. */
type PublishedScores = { name: string } & Partial<CaptionScores> & { meteor?: number };

/** Published scores on Flickr8k's test split: Tanti et al. 2018, "Where to put the image"; Vinyals et al. 2015; Xu et al. 2015. */
export const publishedScores: readonly PublishedScores[] = [
  {
    name: "merge model, beam 3 (Tanti et al. 2018)",
    ...{ bleu1: 60, bleu2: 41.3, bleu3: 27.3, bleu4: 17.8, meteor: 19.3, rougeL: 44.4, cider: 46.9 },
  },
  { name: "Show and Tell (Vinyals et al. 2015)", bleu1: 63, bleu2: 41, bleu3: 27 },
  {
    name: "Show, Attend and Tell, hard attention (Xu et al. 2015)",
    ...{ bleu1: 67, bleu2: 45.7, bleu3: 31.4, bleu4: 21.3, meteor: 20.3 },
  },
];

/** Whether scores compare with the published ones: they are of Flickr8k's own test split, all of it. */
function isPublishedTestSplit({ summary }: Pick<Prepared, "summary">, split: string): boolean {
  return split === "test" && summary.hasSplits && summary.photos === 8092 && summary.testPhotos === 1000;
}
