import { scaleBand, scaleLinear } from "d3-scale";
import { html, type Markup } from "../shared/html.ts";
import { type Axis, at, chartFigure, chartFile, drawAxes, figureFrame, fileFrame, type Tone } from "./chart.ts";

const pair = { rowHeight: 26, labelWidth: 84, valueWidth: 40 };

interface BarPairs {
  title: string;
  description: string;
  /** Of the first and the second bar. */
  names: readonly [string, string];
  rows: readonly { label: string; values: readonly [number, number] }[];
  format: (value: number) => string;
}

/** Draws two bars a row, with their values, for a page. */
export function barPairs({ title, description, names, rows, format }: BarPairs): Markup {
  const { width } = figureFrame;
  const height = rows.length * pair.rowHeight;
  const highest = Math.max(...rows.flatMap(({ values }) => values));
  const toRow = scaleBand(
    rows.map(({ label }) => label),
    [0, height],
  );
  const toWidth = scaleLinear([0, highest || 1], [0, width - pair.labelWidth - pair.valueWidth]);
  const drawBar = (tone: Tone, { value, y }: { value: number; y: number }) =>
    html`<rect class="${tone}" x="${pair.labelWidth}" y="${y}" width="${at(toWidth(value))}" height="10"/><text x="${at(
      pair.labelWidth + toWidth(value) + 4,
    )}" y="${y + 9}">${format(value)}</text>`;
  const drawn = rows.map(({ label, values: [one, two] }) => {
    const top = toRow(label) ?? 0;
    return html`<text x="${pair.labelWidth - 6}" y="${top + 16}" text-anchor="end">${label}</text>${drawBar("one", {
      value: one,
      y: top + 2,
    })}${drawBar("two", { value: two, y: top + 13 })}
`;
  });
  const legend = names.map((name, index) => ({ tone: index === 0 ? ("one" as const) : ("two" as const), name }));
  return chartFigure({ title, description, width, height, legend }, html`${drawn}`);
}

interface Histogram {
  title: string;
  description: string;
  /** What is counted along. */
  label: string;
  /** Two are drawn side by side. A share's index is the number that it is the share of. */
  bars: readonly { name: string; tone: Tone; shares: readonly number[] }[];
}

/** Draws which share of the captions has which length, say, for a page. Begins at the first number that any has. */
export function histogram({ title, description, label, bars }: Histogram): Markup {
  const longest = Math.max(...bars.map(({ shares }) => shares.length));
  const first = Math.min(
    ...bars.map(({ shares }) => shares.findIndex((share) => share > 0)).filter((index) => index >= 0),
  );
  const highest = Math.max(...bars.flatMap(({ shares }) => shares));
  const x: Axis = { label, domain: [first - 0.5, longest - 0.5], isWhole: true };
  const y: Axis = { label: "% of captions", domain: [0, 100 * highest] };
  const thickness = 0.8 / bars.length;
  const drawing = drawAxes({ frame: figureFrame, x, y }, (places) => {
    const unit = places.x(1) - places.x(0);
    const rectangles = bars.flatMap(({ tone, shares }, index) =>
      shares.map((share, value) => {
        if (share === 0) return undefined;
        const left = places.x(value - 0.4 + index * thickness);
        const top = places.y(100 * share);
        return html`<rect class="${tone}" x="${left}" y="${top}" width="${(unit * thickness).toFixed(1)}" height="${(
          places.y(0) - top
        ).toFixed(1)}"/>`;
      }),
    );
    return html`${rectangles}`;
  });
  const legend = bars.map(({ tone, name }) => ({ tone, name }));
  return chartFigure({ title, description, ...figureFrame, legend }, drawing);
}

const stack = { top: 46, left: 12, right: 24, rowHeight: 64, barHeight: 28, legendWidth: 90 };

/** Below it, a percentage does not fit into its piece of a bar. */
const leastNamed = 4;

interface StackedBars {
  title: string;
  /** The pieces of each bar, in order. */
  pieces: readonly { name: string; tone: Tone }[];
  rows: readonly { label: string; values: readonly number[] }[];
  format: (value: number) => string;
}

/** Draws a bar a row as an SVG file, each as long as the others and divided as its values divide their sum. */
export function stackedBarFile({ title, pieces, rows, format }: StackedBars): string {
  const { width } = fileFrame;
  const height = stack.top + rows.length * stack.rowHeight + 4;
  const x = scaleLinear([0, 1], [stack.left, width - stack.right]);
  const legend = pieces.map(({ name, tone }, index) => {
    const left = stack.left + index * stack.legendWidth;
    return html`<rect class="${tone}" x="${left}" y="10" width="12" height="12"/><text x="${left + 18}" y="20">${name}</text>
`;
  });
  const bars = rows.map(({ label, values }, row) => {
    const top = stack.top + row * stack.rowHeight;
    const sum = values.reduce((total, value) => total + value, 0);
    let begun = 0;
    const drawn = pieces.map(({ name, tone }, index) => {
      const value = values[index] ?? 0;
      const share = value / sum;
      const [left, right] = [x(begun), x(begun + share)];
      begun += share;
      const percentage = html`<text class="share" x="${at((left + right) / 2)}" y="${top + 39}" text-anchor="middle">${(100 * share).toFixed(0)} %</text>`;
      return html`<rect class="${tone}" x="${at(left)}" y="${top + 20}" width="${at(right - left)}" height="${stack.barHeight}"><title>${name}: ${format(value)}</title></rect>
${100 * share < leastNamed ? undefined : percentage}`;
    });
    return html`<text x="${stack.left}" y="${top + 14}">${label}</text>
${drawn}`;
  });
  return chartFile({ title, width, height }, html`${legend}${bars}`);
}
