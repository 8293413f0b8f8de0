import { choosingScore, type EpochMetrics, epochSearches } from "../fit/metrics.ts";
import type { CaptionScores } from "../score/score-captions.ts";
import type { Axis } from "./chart.ts";
import { times100 } from "./figures.ts";
import { html, type Markup } from "./html.ts";
import { lineChart, type Series } from "./line-chart.ts";
import type { ReportInput } from "./report-input.ts";
import type { Section } from "./section.ts";
import { table } from "./table.ts";

/** What training gave, epoch by epoch. */
export function curveSection({ epochs, evaluation }: ReportInput): Section {
  const body =
    epochs === undefined || epochs.length === 0
      ? html`<p>None: the output folder holds no record of how the decoder of ${evaluation.model} was trained. The stages <code>fit</code> and
<code>export</code> leave one for the bundle that they make; name that bundle with <code>--bundle</code>.</p>`
      : curves(epochs);
  return { id: "curves", title: "Training", body };
}

function curves(epochs: readonly EpochMetrics[]): Markup {
  const best = bestEpoch(epochs);
  const kinds: CurveKind[] = [
    ...(
      [
        { title: "Loss", label: "cross-entropy", values: valuesOf(epochs, ({ loss }) => loss), format: decimals },
        {
          title: "Reward of drawn captions",
          label: "CIDEr × 100",
          values: valuesOf(epochs, ({ reward }) => reward),
          format: times100,
        },
        {
          title: "Learning rate",
          label: "× 0.001",
          values: valuesOf(epochs, ({ learningRate }) => 1000 * learningRate),
          format: String,
        },
      ] as const
    ).map(({ values, ...kind }) => ({ ...kind, series: [{ name: kind.title, tone: "one" as const, points: values }] })),
    { title: "CIDEr on dev", label: "CIDEr × 100", series: devSeries(epochs, "cider"), format: whole },
    { title: "BLEU-4 on dev", label: "BLEU-4 × 100", series: devSeries(epochs, "bleu4"), format: whole },
  ];
  const drawn = kinds.filter(({ series }) => series.some(({ points }) => points.length > 0));
  const isRewarded = epochs.some(({ reward }) => reward !== undefined);
  return html`<p>${epochs.length} epochs. ${best === undefined ? "There were no dev photos to score them by." : `Epoch ${best} has the best CIDEr of beam 3 on the dev photos.`}${
    isRewarded
      ? " Self-critical epochs have a reward, the CIDEr of the captions that were drawn, in the place of a loss."
      : ""
  }</p>
<div class="charts">${drawn.map((kind) => curve(kind, { epochs: epochs.length, best }))}</div>
<details><summary>The same as a table</summary>${epochTable(epochs)}</details>`;
}

interface CurveKind {
  title: string;
  label: string;
  format: Axis["format"];
  series: Series[];
}

function curve(
  { title, label, format, series }: CurveKind,
  { epochs, best }: { epochs: number; best: number | undefined },
): Markup {
  const values = series.flatMap(({ points }) => points.map(([, value]) => value));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || high || 1) / 8;
  const ends = series.map(
    ({ name, points }) => `${name} from ${format(points[0]?.[1] ?? 0)} to ${format(points.at(-1)?.[1] ?? 0)}`,
  );
  return lineChart({
    title,
    description: `${title} by epoch: ${ends.join(", ")}.`,
    x: { label: "epoch", domain: [1, Math.max(2, epochs)], format: String, isWhole: true },
    y: { label, domain: [low < room ? 0 : low - room, high + room], format },
    series,
    mark: best === undefined ? undefined : { x: best, name: "best" },
  });
}

function devSeries(epochs: readonly EpochMetrics[], score: keyof CaptionScores): Series[] {
  const tones = { greedy: "two", "beam 3": "one" } as const;
  return epochSearches
    .map((search) => ({
      name: search,
      tone: tones[search],
      points: valuesOf(epochs, ({ dev }) => dev[search]?.[score]),
    }))
    .filter(({ points }) => points.length > 0);
}

function valuesOf(
  epochs: readonly EpochMetrics[],
  value: (epoch: EpochMetrics) => number | undefined,
): [number, number][] {
  return epochs.flatMap((epoch): [number, number][] => {
    const found = value(epoch);
    return found === undefined ? [] : [[epoch.epoch, found]];
  });
}

/** By what `fit` chooses by; undefined where it had no dev photos. */
function bestEpoch(epochs: readonly EpochMetrics[]): number | undefined {
  const scored = epochs.filter(({ dev }) => Object.keys(dev).length > 0);
  return scored.toSorted((one, other) => choosingScore(other) - choosingScore(one) || one.epoch - other.epoch)[0]
    ?.epoch;
}

function epochTable(epochs: readonly EpochMetrics[]): Markup {
  const cell = (value: number | undefined, digits = 1) => value?.toFixed(digits) ?? "–";
  const percent = (value: number | undefined) => (value === undefined ? "–" : times100(value));
  return table({
    caption: "Epochs",
    heading: [
      "epoch",
      "loss",
      "reward",
      "learning rate",
      ...epochSearches.flatMap((search) => [`CIDEr ${search}`, `BLEU-4 ${search}`]),
    ],
    rows: epochs.map(({ epoch, loss, reward, learningRate, dev }) => [
      epoch,
      cell(loss, 3),
      percent(reward),
      learningRate.toPrecision(2),
      ...epochSearches.flatMap((search) => [percent(dev[search]?.cider), percent(dev[search]?.bleu4)]),
    ]),
  });
}

function decimals(value: number): string {
  return value.toFixed(1);
}

function whole(fraction: number): string {
  return (100 * fraction).toFixed(0);
}
