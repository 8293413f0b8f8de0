import { line } from "d3-shape";
import { html, type Markup } from "../shared/html.ts";
import {
  type Axis,
  chartFigure,
  chartFile,
  drawAxes,
  figureFrame,
  fileFrame,
  type Places,
  type Tone,
} from "./chart.ts";

type Point = readonly [x: number, y: number];

export interface Series {
  name: string;
  tone: Tone;
  points: readonly Point[];
}

interface LineChart {
  title: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
}

interface LineFigure extends LineChart {
  /** What it shows, for those who cannot see it. */
  description: string;
  /** A line of reference. */
  diagonal?: readonly [Point, Point];
  /** A value of x that is marked, and what it is. */
  mark?: { x: number; name: string } | undefined;
}

/** Draws lines for a page, with a mark at each point. The second is dashed, so that colour is not all that tells them apart. */
export function lineFigure({ title, description, x, y, series, diagonal, mark }: LineFigure): Markup {
  const legend = series.length > 1 ? series.map(({ tone, name }) => ({ tone, name })) : [];
  const drawing = drawAxes({ frame: figureFrame, x, y }, (places) => {
    const reference =
      diagonal === undefined ? undefined : html`<path class="diagonal" d="${pathOf(diagonal, places)}"/>`;
    const lines = series.map((one) => html`${drawLine(one, places)}${drawDots(one, places)}`);
    return html`${reference}${mark === undefined ? undefined : drawMark(mark, { places, x, y })}${lines}`;
  });
  return chartFigure({ title, description, ...figureFrame, legend }, drawing);
}

/** Draws lines as an SVG file, each with its name at its end. */
export function lineFile({ title, x, y, series }: LineChart): string {
  const drawing = drawAxes({ frame: fileFrame, x, y }, (places) => {
    const lines = series.map((one) => drawLine(one, places));
    return html`<text x="${fileFrame.margin.left}" y="16">${title}</text>${lines}${drawNames(series, places)}`;
  });
  return chartFile({ title, ...fileFrame }, drawing);
}

function drawLine({ points, tone }: Series, places: Places): Markup {
  return html`<path class="line ${tone}" d="${pathOf(points, places)}"/>`;
}

function drawDots({ points, tone }: Series, places: Places): Markup {
  const radius = points.length > 40 ? 1.5 : 3;
  return html`${points.map(
    ([x, y]) => html`<circle class="${tone}" cx="${places.x(x)}" cy="${places.y(y)}" r="${radius}"/>`,
  )}`;
}

/** Draws a line from floor to ceiling, its name above it on the side where there is more room. */
function drawMark(mark: { x: number; name: string }, { places, x, y }: { places: Places; x: Axis; y: Axis }): Markup {
  const [low, high] = y.domain;
  const place = places.x(mark.x);
  const anchor = mark.x - x.domain[0] > x.domain[1] - mark.x ? "end" : "start";
  const ends = html`y1="${places.y(low)}" y2="${places.y(high)}"`;
  return html`<line class="mark" x1="${place}" x2="${place}" ${ends}/><text x="${place}" y="${places.y(high) - 4}" text-anchor="${anchor}">${mark.name}</text>`;
}

const lineHeight = 16;

/** Draws each line's name at its end, or below the name above it if there is no room. */
function drawNames(series: readonly Series[], places: Places): Markup {
  const ends = series.flatMap(({ name, tone, points }) => {
    const end = points.at(-1);
    return end === undefined ? [] : [{ name, tone, y: places.y(end[1]) + 4 }];
  });
  let leastY = 0;
  const names = ends
    .toSorted((one, other) => one.y - other.y)
    .map(({ name, tone, y: wanted }) => {
      const y = Math.max(wanted, leastY);
      leastY = y + lineHeight;
      return html`<text class="${tone}" x="${fileFrame.width - fileFrame.margin.right + 6}" y="${y}">${name}</text>`;
    });
  return html`${names}`;
}

function pathOf(points: readonly Point[], places: Places): string {
  const path = line<Point>(
    ([x]) => places.x(x),
    ([, y]) => places.y(y),
  ).digits(1);
  return path(points) ?? "";
}
