import { type ScaleLinear, scaleLinear } from "d3-scale";
import { html, type Markup } from "../shared/html.ts";
import { readPagePart } from "./page-part.ts";

interface Frame {
  width: number;
  height: number;
  margin: { top: number; right: number; bottom: number; left: number };
  /** About how many values the horizontal axis marks. */
  columns: number;
}

/** A chart on a page: as wide as a phone, so that its text keeps its size there. */
export const figureFrame: Frame = {
  width: 360,
  height: 240,
  margin: { top: 30, right: 12, bottom: 38, left: 40 },
  columns: 5,
};

/** A chart in a file of its own, with room for the lines' names at their ends. */
export const fileFrame: Frame = {
  width: 720,
  height: 320,
  margin: { top: 50, right: 130, bottom: 44, left: 56 },
  columns: 8,
};

export interface Axis {
  label: string;
  /** From its first value to its last. */
  domain: readonly [number, number];
  /** Whether only whole numbers are marked: epochs and words have no halves. */
  isWhole?: boolean;
}

/** A colour of `colours.css`. More than two lines are hard to tell apart by it. */
export type Tone = "one" | "two" | "three" | "four" | "five";

/** Where values are in the drawing, in its units. */
export interface Places {
  x: (value: number) => number;
  y: (value: number) => number;
}

/** Draws two axes with their grid, and between them what `draw` returns. */
export function drawAxes(
  { frame, x, y }: { frame: Frame; x: Axis; y: Axis },
  draw: (places: Places) => Markup,
): Markup {
  const { width, height, margin, columns } = frame;
  const toX = scaleLinear(x.domain, [margin.left, width - margin.right]);
  const toY = scaleLinear(y.domain, [height - margin.bottom, margin.top]);
  const floor = height - margin.bottom;
  const marksOfX = ticksOf(toX, { axis: x, count: columns }).map(
    ({ place, text }) => html`<text x="${at(place)}" y="${floor + 15}" text-anchor="middle">${text}</text>`,
  );
  const marksOfY = ticksOf(toY, { axis: y, count: 5 }).map(({ place, text }) => {
    const line = html`<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${at(place)}" y2="${at(place)}"/>`;
    return html`${line}<text x="${margin.left - 6}" y="${at(place + 4)}" text-anchor="end">${text}</text>`;
  });
  return html`${marksOfY}${marksOfX}
<line class="axis" x1="${margin.left}" x2="${width - margin.right}" y1="${floor}" y2="${floor}"/>
${draw({ x: (value) => at(toX(value)), y: (value) => at(toY(value)) })}
<text class="label" x="${(margin.left + width - margin.right) / 2}" y="${height - 4}" text-anchor="middle">${x.label}</text>
<text class="label" x="${margin.left - 40}" y="${margin.top - 20}" text-anchor="start">${y.label}</text>
`;
}

/** A tenth of a unit is finer than a screen shows. */
export function at(place: number): number {
  return Math.round(10 * place) / 10;
}

function ticksOf(
  scale: ScaleLinear<number, number>,
  { axis: { isWhole = false }, count }: { axis: Axis; count: number },
): { place: number; text: string }[] {
  const values = scale.ticks(count);
  const format = isWhole ? String : scale.tickFormat(count);
  return (isWhole ? values.filter(Number.isInteger) : values).map((value) => ({
    place: scale(value),
    text: format(value),
  }));
}

interface Drawing {
  title: string;
  width: number;
  height: number;
}

interface Figure extends Drawing {
  /** What it shows, for those who cannot see it. */
  description: string;
  /** Below the chart. */
  legend?: readonly { tone: Tone; name: string }[];
}

/** Puts a drawing on a page, with its title and the names of its colours. */
export function chartFigure({ title, description, width, height, legend = [] }: Figure, drawing: Markup): Markup {
  const names = legend.map(({ tone, name }) => html`<span><i class="${tone}"></i>${name}</span> `);
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${description}">
${drawing}</svg>${names.length === 0 ? undefined : html`<p class="legend">${names}</p>`}</figure>
`;
}

/** Makes a drawing an SVG file that needs nothing beside it. */
export function chartFile({ title, width, height }: Drawing, drawing: Markup): string {
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>${title}</title>
<style>
${readPagePart(new URL("./chart.css", import.meta.url))}</style>
<rect class="paper" width="${width}" height="${height}"/>
${drawing}</svg>
`.text;
}
