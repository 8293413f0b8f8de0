import { barPairs, histogram } from "../../pages/bar-chart.ts";
import { type Cleaning, cleanCaption } from "../../shared/clean-caption.ts";
import { contentWords } from "../../shared/content-words.ts";
import { html, type Markup } from "../../shared/html.ts";
import { grouped } from "./figures.ts";
import type { ReportInput } from "./report-input.ts";
import type { Section } from "./section.ts";

const shownWords = 20;

/** Which words the model knows, which it uses, and how long its captions are. */
export function wordSection({ bundle, prepared, photos, split }: ReportInput): Section {
  const { cleaning } = bundle.manifest;
  const { words: all, size, startId, endId } = bundle.vocabulary;
  const vocabulary = all.filter((_, id) => id > 0 && id !== startId && id !== endId);
  const ofTraining = prepared.photos.filter((photo) => photo.split === "train").flatMap(({ captions }) => captions);
  const training = countWords(
    ofTraining.map(({ text }) => text),
    cleaning,
  );
  const ours = countWords(
    photos.map((photo) => photo["beam 3"]),
    cleaning,
  );
  const references = countWords(
    photos.flatMap((photo) => photo.references),
    cleaning,
  );
  const unused = vocabulary.filter((word) => !ours.counts.has(word)).length;
  const inReferences = vocabulary.filter((word) => references.counts.has(word)).length;
  return {
    id: "words",
    title: "Words",
    body: html`<p>The vocabulary has ${grouped(size)} entries: ${grouped(vocabulary.length)} words, and padding, start and end. In its
${grouped(photos.length)} captions of the ${split} split by beam 3 the model uses ${grouped(vocabulary.length - unused)} of the words and never
uses ${grouped(unused)}; the references of the same photos use ${grouped(inReferences)}.</p>
<div class="charts">${[
      { title: "The training captions' most frequent words", words: mostFrequent(training) },
      { title: "Their most frequent content words", words: mostFrequent(training, contentWords) },
    ].map(({ title, words }) => frequencyBars(words, { title, training, ours }))}${histogram({
      title: "Length of captions",
      description: `Words a caption: ours ${meanOf(ours.lengths)} on average, the references ${meanOf(references.lengths)}.`,
      label: "words",
      bars: [
        { name: "ours, beam 3", tone: "one", shares: sharesOf(ours.lengths) },
        { name: "references", tone: "two", shares: sharesOf(references.lengths) },
      ],
    })}</div>
<p>Our captions have ${meanOf(ours.lengths)} words on average, the references ${meanOf(references.lengths)}, cleaned in the same way.</p>`,
  };
}

interface WordCounts {
  counts: ReadonlyMap<string, number>;
  /** Words in all. */
  total: number;
  /** Words a caption. */
  lengths: readonly number[];
}

function countWords(captions: readonly string[], cleaning: Cleaning): WordCounts {
  const counts = new Map<string, number>();
  const lengths = captions.map((caption) => {
    const words = cleanCaption(caption, cleaning);
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    return words.length;
  });
  return { counts, total: lengths.reduce((sum, length) => sum + length, 0), lengths };
}

function mostFrequent(
  { counts }: WordCounts,
  choose = (words: readonly string[]): readonly string[] => words,
): readonly string[] {
  const sorted = [...counts].toSorted(
    ([one, count], [other, otherCount]) => otherCount - count || (one < other ? -1 : 1),
  );
  return choose(sorted.map(([word]) => word)).slice(0, shownWords);
}

function frequencyBars(
  words: readonly string[],
  { title, training, ours }: { title: string; training: WordCounts; ours: WordCounts },
): Markup {
  const perThousand = ({ counts, total }: WordCounts, word: string) => (1000 * (counts.get(word) ?? 0)) / (total || 1);
  const rows = words.map((label) => ({
    label,
    values: [perThousand(training, label), perThousand(ours, label)] as const,
  }));
  const format = (value: number) => value.toFixed(value < 10 ? 1 : 0);
  const figures = rows.map(({ label, values: [one, two] }) => `${label} ${format(one)} and ${format(two)}`);
  return barPairs({
    title: `${title}, times in a thousand words`,
    description: `In training and in our captions: ${figures.join(", ")}.`,
    names: ["training captions", "our captions, beam 3"],
    rows,
    format,
  });
}

/** Of each length, up to the one that all but one in two hundred captions stay within. */
function sharesOf(lengths: readonly number[]): number[] {
  const sorted = lengths.toSorted((one, other) => one - other);
  const longest = sorted[Math.floor(0.995 * (sorted.length - 1))] ?? 0;
  return Array.from(
    { length: longest + 1 },
    (_, length) => lengths.filter((one) => one === length).length / lengths.length,
  );
}

function meanOf(lengths: readonly number[]): string {
  return (lengths.reduce((sum, length) => sum + length, 0) / (lengths.length || 1)).toFixed(1);
}
