import { type ScaleLinear, scaleLinear } from "d3-scale";
import { html, type Markup } from "../../shared/html.ts";

/** Of a chart, as wide as a phone so that its text keeps its size there. */
const width = 360;
const height = 240;
const margin = { top: 30, right: 12, bottom: 38, left: 40 };

export interface Axis {
  label: string;
  /** From its first value to its last. */
  domain: readonly [number, number];
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
  const columns = ticksOf(toX, x).map(
    ({ place, text }) => html`<text x="${at(place)}" y="${floor + 15}" text-anchor="middle">${text}</text>`,
  );
  const rows = ticksOf(toY, y).map(({ place, text }) => {
    const line = html`<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${at(place)}" y2="${at(place)}"/>`;
    return html`${line}<text x="${margin.left - 6}" y="${at(place + 4)}" text-anchor="end">${text}</text>`;
  });
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${description}">
${rows}${columns}
<line class="axis" x1="${margin.left}" x2="${width - margin.right}" y1="${floor}" y2="${floor}"/>
${draw({ x: (value) => at(toX(value)), y: (value) => at(toY(value)) })}
<text class="label" x="${(margin.left + width - margin.right) / 2}" y="${height - 4}" text-anchor="middle">${x.label}</text>
<text class="label" x="0" y="10">${y.label}</text>
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

function ticksOf(scale: ScaleLinear<number, number>, { isWhole = false }: Axis): { place: number; text: string }[] {
  const values = scale.ticks(5);
  const format = isWhole ? String : scale.tickFormat(5);
  return (isWhole ? values.filter(Number.isInteger) : values).map((value) => ({
    place: scale(value),
    text: format(value),
  }));
}
