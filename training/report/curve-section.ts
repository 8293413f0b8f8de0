import { lineFigure, type Series } from "../../pages/line-chart.ts";
import { html, type Markup } from "../../shared/html.ts";
import { choosingScore, type EpochMetrics, epochSearches } from "../fit/metrics.ts";

import { times100 } from "./figures.ts";
import type { ReportInput } from "./report-input.ts";
import { type Section, table } from "./section.ts";

/** Draws loss, reward, rate and dev scores by epoch. */
export function curveSection({ epochs = [], evaluation }: ReportInput): Section {
  const body =
    epochs.length === 0
      ? html`<p>No curves: the output folder holds no record of how the decoder of ${evaluation.model} was trained. The stages
<code>fit</code> and <code>export</code> leave one for the bundle that they make; name that bundle with <code>--bundle</code>.</p>`
      : html`<p>${describeEpochs(epochs)}</p>
<div class="charts">${drawCurves(epochs)}</div>
<details><summary>The same as a table</summary>${epochTable(epochs)}</details>`;
  return { id: "curves", title: "Training", body };
}

function describeEpochs(epochs: readonly EpochMetrics[]): string {
  const best = bestEpoch(epochs);
  const isRewarded = epochs.some(({ reward }) => reward !== undefined);
  const last = lastEpoch(epochs);
  return [
    last === epochs.length
      ? `${last} epochs.`
      : `${epochs.length} epochs of ${last}: a phase ends early when it has gained nothing for a while.`,
    best === undefined
      ? "There were no dev photos to score them by."
      : `Epoch ${best} has the best CIDEr of beam 3 on the dev photos.`,
    isRewarded
      ? "Self-critical epochs have a reward, the CIDEr of the captions that were drawn, in the place of a loss."
      : "",
  ].join(" ");
}

function drawCurves(epochs: readonly EpochMetrics[]): Markup[] {
  const one = (name: string, value: EpochValue): Series[] => [{ name, tone: "one", points: pointsOf(epochs, value) }];
  const onDev = (score: "cider" | "bleu4"): Series[] => [
    { name: "beam 3", tone: "one", points: pointsOf(epochs, ({ dev }) => hundredfold(dev["beam 3"]?.[score])) },
    { name: "greedy", tone: "two", points: pointsOf(epochs, ({ dev }) => hundredfold(dev.greedy?.[score])) },
  ];
  const charts = [
    { title: "Loss", label: "cross-entropy", series: one("loss", ({ loss }) => loss) },
    { title: "Reward", label: "CIDEr × 100", series: one("reward", ({ reward }) => hundredfold(reward)) },
    { title: "CIDEr on dev", label: "CIDEr × 100", series: onDev("cider") },
    { title: "BLEU-4 on dev", label: "BLEU-4 × 100", series: onDev("bleu4") },
    { title: "Learning rate", label: "× 0.001", series: one("rate", ({ learningRate }) => 1000 * learningRate) },
  ];
  const best = bestEpoch(epochs);
  return charts
    .filter(({ series }) => series.some(({ points }) => points.length > 0))
    .map((parts) => drawCurve(parts, { last: lastEpoch(epochs), best }));
}

function drawCurve(
  { title, label, series }: { title: string; label: string; series: readonly Series[] },
  { last, best }: { last: number; best: number | undefined },
): Markup {
  const values = series.flatMap(({ points }) => points.map(([, value]) => value));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || high || 1) / 8;
  const figure = (point: readonly [number, number] | undefined) => Number((point?.[1] ?? 0).toPrecision(3));
  const ends = series.map(({ name, points }) => `${name} from ${figure(points[0])} to ${figure(points.at(-1))}`);
  return lineFigure({
    title,
    description: `${title}, ${label}, by epoch: ${ends.join("; ")}.`,
    x: { label: "epoch", domain: [1, Math.max(2, last)], isWhole: true },
    y: { label, domain: [low < room ? 0 : low - room, high + room] },
    series,
    mark: best === undefined ? undefined : { x: best, name: "best" },
  });
}

type EpochValue = (epoch: EpochMetrics) => number | undefined;

/** Returns the points of the epochs that have the value. */
function pointsOf(epochs: readonly EpochMetrics[], value: EpochValue): [number, number][] {
  return epochs.flatMap((epoch): [number, number][] => {
    const found = value(epoch);
    return found === undefined ? [] : [[epoch.epoch, found]];
  });
}

/** Returns the number of the last epoch, counting those that a phase left out. */
function lastEpoch(epochs: readonly EpochMetrics[]): number {
  return epochs.at(-1)?.epoch ?? 0;
}

function hundredfold(fraction: number | undefined): number | undefined {
  return fraction === undefined ? undefined : 100 * fraction;
}

/** Returns the best epoch by the score that `fit` chooses by; undefined without dev photos. */
function bestEpoch(epochs: readonly EpochMetrics[]): number | undefined {
  const scored = epochs.filter(({ dev }) => Object.keys(dev).length > 0);
  const fromBest = scored.toSorted(
    (one, other) => choosingScore(other) - choosingScore(one) || one.epoch - other.epoch,
  );
  return fromBest[0]?.epoch;
}

function epochTable(epochs: readonly EpochMetrics[]): Markup {
  const percent = (value: number | undefined) => (value === undefined ? "–" : times100(value));
  return table({
    caption: "Epochs; scores and reward times 100",
    heading: [
      "epoch",
      "loss",
      "reward",
      "learning rate",
      ...epochSearches.flatMap((search) => [`CIDEr ${search}`, `BLEU-4 ${search}`]),
    ],
    rows: epochs.map(({ epoch, loss, reward, learningRate, dev }) => [
      epoch,
      loss?.toFixed(3) ?? "–",
      percent(reward),
      learningRate.toPrecision(2),
      ...epochSearches.flatMap((search) => [percent(dev[search]?.cider), percent(dev[search]?.bleu4)]),
    ]),
  });
}
