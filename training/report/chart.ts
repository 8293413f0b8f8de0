import { scaleLinear } from "d3-scale";
import { html, type Markup } from "./html.ts";

/** Of a chart, as wide as a phone so that its text keeps its size there. */
const width = 360;
const height = 230;
const margin = { top: 10, right: 12, bottom: 38, left: 46 };

export interface Axis {
  label: string;
  /** From its first value to its last. */
  domain: readonly [number, number];
  /** Of the values beside the axis. */
  format: (value: number) => string;
  /** Whether only whole numbers are marked: epochs and words have no halves. */
  isWhole?: boolean;
}

/** One of two: charts tell more lines apart badly. */
export type Tone = "one" | "two";

export interface ChartParts {
  title: string;
  /** What it shows, for those who cannot see it. */
  description: string;
  x: Axis;
  y: Axis;
  /** Below the chart. */
  legend?: readonly { tone: Tone; name: string }[];
}

/** Where values stand in the drawing, in its units. */
export interface Places {
  x: (value: number) => number;
  y: (value: number) => number;
}

/** A chart with its axes, as a figure; `draw` gives what stands between them. */
export function chart({ title, description, x, y, legend = [] }: ChartParts, draw: (places: Places) => Markup): Markup {
  const toX = scaleLinear(x.domain, [margin.left, width - margin.right]);
  const toY = scaleLinear(y.domain, [height - margin.bottom, margin.top]);
  const floor = height - margin.bottom;
  const columns = ticksOf(toX.ticks(6), x).map(
    (value) => html`<text x="${at(toX(value))}" y="${floor + 15}" text-anchor="middle">${x.format(value)}</text>`,
  );
  const rows = ticksOf(toY.ticks(5), y).map((value) => {
    const place = at(toY(value));
    return html`<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${place}" y2="${place}"/><text x="${
      margin.left - 6
    }" y="${at(toY(value) + 4)}" text-anchor="end">${y.format(value)}</text>`;
  });
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${description}">
${rows}${columns}
<line class="axis" x1="${margin.left}" x2="${width - margin.right}" y1="${floor}" y2="${floor}"/>
${draw({ x: (value) => at(toX(value)), y: (value) => at(toY(value)) })}
<text class="label" x="${(margin.left + width - margin.right) / 2}" y="${height - 4}" text-anchor="middle">${x.label}</text>
<text class="label" x="${margin.left}" y="${margin.top}" dx="6" dy="2" text-anchor="start">${y.label}</text>
</svg>${legendOf(legend)}</figure>
`;
}

/** Names beside the colours that stand for them. */
export function legendOf(entries: NonNullable<ChartParts["legend"]>): Markup {
  if (entries.length === 0) return html``;
  return html`<p class="legend">${entries.map(({ tone, name }) => html`<span><i class="${tone}"></i>${name}</span> `)}</p>`;
}

/** A tenth of a unit is finer than a screen shows. */
export function at(place: number): number {
  return Math.round(10 * place) / 10;
}

function ticksOf(ticks: readonly number[], { isWhole = false }: Axis): readonly number[] {
  return isWhole ? ticks.filter(Number.isInteger) : ticks;
}
