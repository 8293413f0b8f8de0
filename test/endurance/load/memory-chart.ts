import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { sides } from "../../../scripts/docs/endurance-tables.ts";
import { html, type Markup, trusted } from "../../../shared/html.ts";
import type { MemorySample, Side } from "./memory.ts";

const width = 720;
const height = 320;
const margin = { top: 40, right: 130, bottom: 44, left: 56 };

const lineHeight = 16;

/** Readable on white and on black, as whoever shows the file has it. */
const style = trusted(`
text { font: 12px system-ui, sans-serif; fill: #56606b; }
.grid { stroke: #d5dbe1; stroke-width: 0.7; }
.edge { stroke: #0a63c2; fill: none; stroke-width: 2; }
.service { stroke: #b4490f; fill: none; stroke-width: 2; stroke-dasharray: 5 3; }
.wrangler { stroke: #6b7480; fill: none; stroke-width: 1.3; }
text.edge { fill: #0a63c2; stroke: none; }
text.service { fill: #b4490f; stroke: none; }
text.wrangler { fill: #56606b; stroke: none; }
rect { fill: #ffffff; }
`);

/** Memory over time as an SVG file of its own. */
export function memoryChart(samples: readonly MemorySample[], title: string): string {
  const minutes = Math.max(...samples.map(({ minute }) => minute));
  const most = Math.max(...samples.flatMap((sample) => sides.map(({ side }) => sample[side])));
  const x = scaleLinear([0, minutes], [margin.left, width - margin.right]);
  const y = scaleLinear([0, most], [height - margin.bottom, margin.top]).nice();
  const places = { x: (minute: number) => round(x(minute)), y: (mib: number) => round(y(mib)) };
  const rows = y.ticks(5).map(
    (
      mib,
    ) => html`<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${places.y(mib)}" y2="${places.y(mib)}"/>
<text x="${margin.left - 8}" y="${places.y(mib) + 4}" text-anchor="end">${mib}</text>
`,
  );
  const columns = x.ticks(8).map(
    (
      minute,
    ) => html`<text x="${places.x(minute)}" y="${height - margin.bottom + 18}" text-anchor="middle">${minute}</text>
`,
  );
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>${title}</title>
<style>${style}</style>
<rect width="${width}" height="${height}"/>
<text x="${margin.left}" y="20">${title}</text>
${rows}${columns}<text x="${(margin.left + width - margin.right) / 2}" y="${height - 8}" text-anchor="middle">minutes</text>
${sides.map(({ side }) => lineOf(samples, { side, places }))}${namesOf(samples.at(-1), places)}</svg>
`.text;
}

interface Places {
  x: (minute: number) => number;
  y: (mib: number) => number;
}

function lineOf(samples: readonly MemorySample[], { side, places }: { side: Side; places: Places }): Markup {
  const path = line<MemorySample>(
    ({ minute }) => places.x(minute),
    (sample) => places.y(sample[side]),
  ).digits(1);
  return html`<path class="${side}" d="${path(samples) ?? ""}"/>
`;
}

/** Each line's name and last value at its end, or below the name above it where there is no room. */
function namesOf(last: MemorySample | undefined, places: Places): Markup {
  if (last === undefined) return html``;
  let leastY = 0;
  const fromTop = sides.toSorted((one, other) => last[other.side] - last[one.side]);
  const names = fromTop.map(({ side }) => {
    const y = Math.max(places.y(last[side]) + 4, leastY);
    leastY = y + lineHeight;
    const name = `${side}, ${last[side].toFixed(0)} MiB`;
    return html`<text class="${side}" x="${width - margin.right + 6}" y="${y}">${name}</text>
`;
  });
  return html`${names}`;
}

/** A tenth of a unit is finer than a screen shows. */
function round(place: number): number {
  return Math.round(10 * place) / 10;
}
