import type { Manifest } from "../../shared/manifest.ts";
import type { Evaluation, SearchEvaluation, SetEvaluation } from "../../training/evaluate/evaluate-captions.ts";
import type { Summary } from "../../training/prepared.ts";
import { publishedScores } from "../../training/report/score-section.ts";
import { markdownTable, type Row } from "./tables.ts";

const shownScores = ["bleu1", "bleu4", "rougeL", "cider"] as const;
const manifestScores = ["bleu1", "bleu2", "bleu3", "bleu4", "rougeL", "cider"] as const;
/** The default of every program. */
const usualSearch = "beam 3";

/** The tables made of what `npm run train -- evaluate` writes to `scores.json`, and of the manifest's scores. */
export function evaluationTables(
  { others = [], ...flickr8k }: Evaluation,
  { scores }: Pick<Manifest, "scores">,
): [string, string][] {
  const [tanti] = publishedScores;
  const theirs = shownScores.map((name) => tanti?.[name]?.toFixed(1) ?? "");
  return [
    ["scores", scoreTable(flickr8k, [["merge model of Tanti et al. 2018, beam 3", ...theirs, ""]])],
    ["scores-brief", briefTable(flickr8k, others)],
    ["confidence", confidenceTable(flickr8k)],
    ...others.flatMap((other): [string, string][] => [
      ["scores-everyday", scoreTable(other)],
      ["confidence-everyday", confidenceTable(other)],
    ]),
    [
      "manifest-scores",
      markdownTable(
        ["photos", "search", "BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr"],
        scores.map((score) => [score.dataset, score.search, ...manifestScores.map((name) => score[name].toFixed(1))]),
      ),
    ],
  ];
}

function scoreTable({ searches }: SetEvaluation, published: readonly Row[] = []): string {
  const ours = searches.map((found): Row => {
    const figures = shownScores.map((name) => scoreCell(found, name));
    return [found.search, ...figures, String(found.words)];
  });
  return markdownTable(["", "BLEU-1", "BLEU-4", "ROUGE-L", "CIDEr", "different words"], [...ours, ...published]);
}

/** README's: CIDEr of the usual search, on the set by which the model was chosen and on Flickr8k's test split. */
function briefTable(flickr8k: SetEvaluation, everyday: readonly SetEvaluation[]): string {
  const [tanti] = publishedScores;
  const cells = [...everyday, flickr8k].map(({ searches }) => {
    const found = searches.find(({ search }) => search === usualSearch);
    return found === undefined ? "–" : scoreCell(found, "cider");
  });
  return markdownTable(
    [
      "CIDEr",
      ...everyday.map(({ photos }) => `${photos} everyday photos`),
      `Flickr8k's ${flickr8k.photos} test photos`,
    ],
    [
      ["this model", ...cells],
      ["merge model of Tanti et al. 2018", ...everyday.map(() => "–"), tanti?.cider?.toFixed(1) ?? "–"],
    ],
  );
}

function scoreCell(found: SearchEvaluation, name: (typeof shownScores)[number]): string {
  const percent = (share: number) => (100 * share).toFixed(1);
  return `${percent(found[name])} (${found.intervals[name].map(percent).join("–")})`;
}

function confidenceTable({ searches }: SetEvaluation): string {
  const tenths = searches.find(({ search }) => search === usualSearch)?.confidence.tenths ?? [];
  const ofTenths = (what: keyof (typeof tenths)[number]) => tenths.map((tenth) => (100 * tenth[what]).toFixed(0));
  return markdownTable(
    ["confidence, %", ...ofTenths("confidence")],
    [
      ["content words in a reference, %", ...ofTenths("contentPrecision")],
      ["CIDEr", ...ofTenths("cider")],
    ],
  );
}

/** What `prepare` prints of Flickr8k, with either cleaning. */
export function prepareTable(tutorial: Summary, natural: Summary): string {
  const rows: [string, (summary: Summary) => string | number][] = [
    ["photos with captions", ({ photos }) => photos],
    ["words after cleaning", ({ words }) => words],
    ["training photos, captions", ({ trainingPhotos, trainingCaptions }) => `${trainingPhotos}, ${trainingCaptions}`],
    ["training words, with start and end", ({ trainingWords }) => trainingWords],
    ["kept, seen at least 10 times", ({ keptWords }) => keptWords],
    ["vocabulary size, with padding", ({ vocabularySize }) => vocabularySize],
    ["longest training caption, with start and end", ({ longestCaption }) => longestCaption],
    ["dev, test photos", ({ devPhotos, testPhotos }) => `${devPhotos}, ${testPhotos}`],
    ["captions that lost words with digits", (summary) => lossesOf(summary, "digits")],
    ["captions that lost words of one letter", (summary) => lossesOf(summary, "one letter")],
  ];
  return markdownTable(
    ["", "`--cleaning tutorial`", "`natural`"],
    rows.map(([name, figureOf]) => [name, String(figureOf(tutorial)), String(figureOf(natural))]),
  );
}

function lossesOf({ dropped }: Summary, reason: Summary["dropped"][number]["reason"]): number {
  return dropped.find((kind) => kind.reason === reason)?.captions ?? 0;
}
