import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { scaleLinear } from "d3-scale";
import pMap from "p-map";
import { html, trusted } from "../shared/html.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { median } from "./bench.ts";
import { type RunningService, startService } from "./running-service.ts";

/** In the order of the flow; `rest` is reading, hashing, answering and the way there and back. */
const phases = ["decode", "queue", "encode", "search", "rest"] as const;
type Phase = (typeof phases)[number];

/** How long photos of a kind stayed, as their client saw it, and where: medians in milliseconds. */
interface Stay {
  name: string;
  ms: Record<Phase, number>;
}

const kinds = [
  { name: "alone, 500 × 375", size: { width: 500, height: 375 }, count: 48, atOnce: 1 },
  { name: "alone, 12 megapixels", size: { width: 4000, height: 3000 }, count: 8, atOnce: 1 },
  { name: "24 at once, 500 × 375", size: { width: 500, height: 375 }, count: 192, atOnce: 24 },
];

/** Measures where a photo's time goes in the service, prints it as a table and draws it into an SVG file. */
export async function drawPhases(chart: string): Promise<void> {
  const service = await startService();
  try {
    const stays = await measurePhases(service);
    console.log(`In ${service.precision}:\n\n${phaseTable(stays)}`);
    await mkdir(dirname(chart), { recursive: true });
    await writeFile(chart, phaseChart(stays));
    console.log(`\nchart: ${chart}`);
  } finally {
    await service.stop();
  }
}

/** Has the service caption photos of each kind; throws where it does not. */
async function measurePhases(service: RunningService): Promise<Stay[]> {
  const stays: Stay[] = [];
  for (const { name, size, count, atOnce } of kinds) {
    const photos = await madePhotos(Math.min(count, 48), size);
    const sent = Array.from({ length: count }, (_, index) => photos[index % photos.length] ?? new Uint8Array());
    await pMap(sent.slice(0, 2 * atOnce), (photo) => stayOf(service, photo), { concurrency: atOnce }); // not counted
    const all = await pMap(sent, (photo) => stayOf(service, photo), { concurrency: atOnce });
    const ms = Object.fromEntries(phases.map((phase) => [phase, median(all.map((stay) => stay[phase]))]));
    stays.push({ name, ms: ms as Record<Phase, number> }); // has an entry for each phase
  }
  return stays;
}

async function stayOf({ origin }: RunningService, photo: Uint8Array<ArrayBuffer>): Promise<Record<Phase, number>> {
  const begunMs = performance.now();
  const response = await fetch(`${origin}/v1/captions`, { method: "POST", body: photo });
  const answer = await response.text();
  const wholeMs = performance.now() - begunMs;
  if (response.status !== 200) throw new Error(answer);
  const timing = response.headers.get("Server-Timing") ?? "";
  const told = (phase: Phase) => Number(timing.match(new RegExp(`\\b${phase};dur=([\\d.]+)`))?.[1]);
  const [decode, queue, encode, search] = [told("decode"), told("queue"), told("encode"), told("search")];
  return { decode, queue, encode, search, rest: wholeMs - decode - queue - encode - search };
}

/** In Markdown, milliseconds. */
export function phaseTable(stays: readonly Stay[]): string {
  const rows = stays.map(({ name, ms }) => [name, ...phases.map((phase) => ms[phase].toFixed(1))]);
  return [["photo", ...phases.map((phase) => `${phase}, ms`)], ["---", ...phases.map(() => "---")], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
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
