import { line } from "d3-shape";
import { html, type Markup } from "../../shared/html.ts";
import { type Axis, type ChartParts, chart, type Places, type Tone } from "./chart.ts";

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
