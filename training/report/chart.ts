import { type ScaleLinear, scaleBand, scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { html, type Markup } from "../../shared/html.ts";

/** Of a chart, as wide as a phone so that its text keeps its size there. */
const width = 360;
const height = 240;
const margin = { top: 30, right: 12, bottom: 38, left: 40 };

interface Axis {
  label: string;
  /** From its first value to its last. */
  domain: readonly [number, number];
  /** Whether only whole numbers are marked: epochs and words have no halves. */
  isWhole?: boolean;
}

/** One of two: charts tell more lines apart badly. */
type Tone = "one" | "two";

interface ChartParts {
  title: string;
  /** What it shows, for those who cannot see it. */
  description: string;
  x: Axis;
  y: Axis;
  /** Below the chart. */
  legend?: readonly { tone: Tone; name: string }[];
}

/** Where values stand in the drawing, in its units. */
interface Places {
  x: (value: number) => number;
  y: (value: number) => number;
}

/** A chart with its axes, as a figure; `draw` gives what stands between them. */
function chart({ title, description, x, y, legend = [] }: ChartParts, draw: (places: Places) => Markup): Markup {
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
function legendOf(entries: NonNullable<ChartParts["legend"]>): Markup {
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

const rowHeight = 26;
const labelWidth = 84;
const valueWidth = 40;

interface BarPairs {
  title: string;
  description: string;
  /** Of the first and the second bar. */
  names: readonly [string, string];
  rows: readonly { label: string; values: readonly [number, number] }[];
  format: (value: number) => string;
}

/** Two bars a row, with their values: the one thing beside the other. */
export function barPairs({ title, description, names, rows, format }: BarPairs): Markup {
  const height = rows.length * rowHeight;
  const highest = Math.max(...rows.flatMap(({ values }) => values));
  const toRow = scaleBand(
    rows.map(({ label }) => label),
    [0, height],
  );
  const toWidth = scaleLinear([0, highest || 1], [0, width - labelWidth - valueWidth]);
  const drawn = rows.map(({ label, values: [one, two] }) => {
    const top = toRow(label) ?? 0;
    const bar = (tone: "one" | "two", { value, y }: { value: number; y: number }) =>
      html`<rect class="${tone}" x="${labelWidth}" y="${y}" width="${at(toWidth(value))}" height="10"/><text class="value" x="${at(
        labelWidth + toWidth(value) + 4,
      )}" y="${y + 9}">${format(value)}</text>`;
    return html`<text x="${labelWidth - 6}" y="${top + 16}" text-anchor="end">${label}</text>${bar("one", {
      value: one,
      y: top + 2,
    })}${bar("two", { value: two, y: top + 13 })}
`;
  });
  const [one, two] = names;
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${description}">
${drawn}</svg>${legendOf([
    { tone: "one", name: one },
    { tone: "two", name: two },
  ])}</figure>
`;
}

interface Bars {
  name: string;
  tone: Tone;
  /** Of the whole number that is their place in the list, as fractions. */
  shares: readonly number[];
}

interface Histogram {
  title: string;
  description: string;
  /** What is counted along. */
  label: string;
  /** Two stand side by side. */
  bars: readonly Bars[];
}

/** Which share of the captions has which length, say. Begins at the first number that any has. */
export function histogram({ title, description, label, bars }: Histogram): Markup {
  const longest = Math.max(...bars.map(({ shares }) => shares.length));
  const first = Math.min(
    ...bars.map(({ shares }) => shares.findIndex((share) => share > 0)).filter((index) => index >= 0),
  );
  const highest = Math.max(...bars.flatMap(({ shares }) => shares));
  const x: Axis = { label, domain: [first - 0.5, longest - 0.5], isWhole: true };
  const y: Axis = { label: "% of captions", domain: [0, 100 * highest] };
  const legend = bars.map(({ tone, name }) => ({ tone, name }));
  const thickness = 0.8 / bars.length;
  return chart({ title, description, x, y, legend }, (places) => {
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
}

type Point = readonly [x: number, y: number];

export interface Series {
  name: string;
  tone: Tone;
  points: readonly Point[];
}

interface LineChart extends Omit<ChartParts, "legend"> {
  series: readonly Series[];
  /** A line of reference. */
  diagonal?: readonly [Point, Point];
  /** A value of x that is marked, and what it is. */
  mark?: { x: number; name: string } | undefined;
}

/** Lines with a mark at each point, the second dashed, so that colour is not all that tells them apart. */
export function lineChart({ series, diagonal, mark, ...parts }: LineChart): Markup {
  const legend = series.length > 1 ? series.map(({ tone, name }) => ({ tone, name })) : [];
  return chart({ ...parts, legend }, (places) => {
    const reference =
      diagonal === undefined ? undefined : html`<path class="diagonal" d="${pathOf(diagonal, places)}"/>`;
    const lines = series.map(({ tone, points }) => drawLine(points, { tone, places }));
    return html`${reference}${mark === undefined ? undefined : drawMark(mark, { places, ...parts })}${lines}`;
  });
}

function drawLine(points: readonly Point[], { tone, places }: { tone: Tone; places: Places }): Markup {
  const radius = points.length > 40 ? 1.5 : 3;
  const dots = points.map(
    ([x, y]) => html`<circle class="${tone}" cx="${places.x(x)}" cy="${places.y(y)}" r="${radius}"/>`,
  );
  return html`<path class="line ${tone}" d="${pathOf(points, places)}"/>${dots}`;
}

/** A line from floor to ceiling, its name above it on the side where there is more room. */
function drawMark(mark: { x: number; name: string }, { places, x, y }: { places: Places; x: Axis; y: Axis }): Markup {
  const [low, high] = y.domain;
  const place = places.x(mark.x);
  const anchor = mark.x - x.domain[0] > x.domain[1] - mark.x ? "end" : "start";
  const ends = html`y1="${places.y(low)}" y2="${places.y(high)}"`;
  return html`<line class="mark" x1="${place}" x2="${place}" ${ends}/><text x="${place}" y="${places.y(high) - 4}" text-anchor="${anchor}">${mark.name}</text>`;
}

function pathOf(points: readonly Point[], places: Places): string {
  const path = line<Point>(
    ([x]) => places.x(x),
    ([, y]) => places.y(y),
  ).digits(1);
  return path(points) ?? "";
}
