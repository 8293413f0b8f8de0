import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import pMap from "p-map";
import { stackedBarFile } from "../pages/bar-chart.ts";
import type { Tone } from "../pages/chart.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { median } from "./bench.ts";
import { type RunningService, startService } from "./running-service.ts";

/** Phases in the order of the flow; `rest` is reading, hashing, answering and the network. */
const phases = ["decode", "queue", "encode", "search", "rest"] as const;
type ServicePhase = (typeof phases)[number];

/** Time that photos of a kind spent in each phase, as their client saw it: medians in milliseconds. */
interface Stay {
  name: string;
  ms: Record<ServicePhase, number>;
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

/** Has the service caption photos of each kind; throws if it does not. */
async function measurePhases(service: RunningService): Promise<Stay[]> {
  const stays: Stay[] = [];
  for (const { name, size, count, atOnce } of kinds) {
    const photos = await madePhotos(Math.min(count, 48), size);
    const sent = Array.from({ length: count }, (_, index) => photos[index % photos.length] ?? new Uint8Array());
    await pMap(sent.slice(0, 2 * atOnce), (photo) => stayOf(service, photo), { concurrency: atOnce }); // not counted
    const all = await pMap(sent, (photo) => stayOf(service, photo), { concurrency: atOnce });
    const ms = Object.fromEntries(phases.map((phase) => [phase, median(all.map((stay) => stay[phase]))]));
    stays.push({ name, ms: ms as Record<ServicePhase, number> }); // has an entry for each phase
  }
  return stays;
}

async function stayOf(
  { origin }: RunningService,
  photo: Uint8Array<ArrayBuffer>,
): Promise<Record<ServicePhase, number>> {
  const begunMs = performance.now();
  const response = await fetch(`${origin}/v1/captions`, { method: "POST", body: photo });
  const answer = await response.text();
  const wholeMs = performance.now() - begunMs;
  if (response.status !== 200) throw new Error(answer);
  const timing = response.headers.get("Server-Timing") ?? "";
  const told = (phase: ServicePhase) => Number(timing.match(new RegExp(`\\b${phase};dur=([\\d.]+)`))?.[1]);
  const [decode, queue, encode, search] = [told("decode"), told("queue"), told("encode"), told("search")];
  return { decode, queue, encode, search, rest: wholeMs - decode - queue - encode - search };
}

/** Formats the phases as a Markdown table, in milliseconds. */
export function phaseTable(stays: readonly Stay[]): string {
  const rows = stays.map(({ name, ms }) => [name, ...phases.map((phase) => ms[phase].toFixed(1))]);
  return [["photo", ...phases.map((phase) => `${phase}, ms`)], ["---", ...phases.map(() => "---")], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

const tones: Record<ServicePhase, Tone> = {
  decode: "two",
  queue: "three",
  encode: "one",
  search: "four",
  rest: "five",
};

/** Draws a bar per kind of photo, divided as its stay was, as an SVG file. */
export function phaseChart(stays: readonly Stay[]): string {
  return stackedBarFile({
    title: "Where a photo's time goes in the service",
    pieces: phases.map((phase) => ({ name: phase, tone: tones[phase] })),
    rows: stays.map(({ name, ms }) => {
      const values = phases.map((phase) => ms[phase]);
      const wholeMs = values.reduce((sum, value) => sum + value, 0);
      return { label: `${name}: ${wholeMs.toFixed(0)} ms`, values };
    }),
    format: (ms) => `${ms.toFixed(1)} ms`,
  });
}
