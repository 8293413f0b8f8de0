import { scaleLinear } from "d3-scale";
import { html, trusted } from "../shared/html.ts";

/** In the order of the flow; `rest` is reading, hashing, answering and the way there and back. */
export const phases = ["decode", "queue", "encode", "search", "rest"] as const;
export type Phase = (typeof phases)[number];

/** How long photos of a kind stayed, as their client saw it, and where: medians in milliseconds. */
export interface Stay {
  name: string;
  ms: Record<Phase, number>;
}

const width = 720;
const barHeight = 28;
const rowHeight = 64;
const margin = { top: 46, right: 24, bottom: 4, left: 12 };

const colours: Record<Phase, string> = {
  decode: "#b4490f",
  queue: "#8d7a3e",
  encode: "#0a63c2",
  search: "#2e8b6f",
  rest: "#7a828c",
};

const style = trusted("text { font: 12px system-ui, sans-serif; fill: #56606b; } .share { fill: #ffffff; }");

/** Below it, a percentage does not fit into its piece of a bar. */
const leastNamed = 4;

/** One bar a kind of photo, divided as its stay was: an SVG file of its own. */
export function phaseChart(stays: readonly Stay[]): string {
  const x = scaleLinear([0, 100], [margin.left, width - margin.right]);
  const height = margin.top + stays.length * rowHeight + margin.bottom;
  const legend = phases.map((phase, index) => {
    const left = margin.left + index * 90;
    return html`<rect x="${left}" y="10" width="12" height="12" fill="${colours[phase]}"/><text x="${left + 18}" y="20">${phase}</text>
`;
  });
  const bars = stays.map(({ name, ms }, row) => {
    const top = margin.top + row * rowHeight;
    const wholeMs = phases.reduce((sum, phase) => sum + ms[phase], 0);
    let begun = 0;
    const pieces = phases.map((phase) => {
      const share = (100 * ms[phase]) / wholeMs;
      const [left, right] = [x(begun), x(begun + share)];
      begun += share;
      const percentage = html`<text class="share" x="${at((left + right) / 2)}" y="${top + 39}" text-anchor="middle">${share.toFixed(0)} %</text>`;
      return html`<rect x="${at(left)}" y="${top + 20}" width="${at(right - left)}" height="${barHeight}" fill="${colours[phase]}"><title>${phase}: ${ms[phase].toFixed(1)} ms</title></rect>
${share < leastNamed ? undefined : percentage}`;
    });
    return html`<text x="${margin.left}" y="${top + 14}">${name}: ${wholeMs.toFixed(0)} ms</text>
${pieces}`;
  });
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>Where a photo's time goes in the service</title>
<style>${style}</style>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${legend}${bars}</svg>
`.text;
}

/** A tenth of a unit is finer than a screen shows. */
function at(place: number): number {
  return Math.round(10 * place) / 10;
}
