import { scaleLinear } from "d3-scale";
import type { Tone } from "../../../pages/chart.ts";
import { lineFile } from "../../../pages/line-chart.ts";
import { sides } from "../../../scripts/docs/endurance-tables.ts";
import type { MemorySample, Side } from "./memory.ts";

const tones: Record<Side, Tone> = { edge: "one", service: "two", wrangler: "five" };

/** Draws memory over time as an SVG file. */
export function memoryChart(samples: readonly MemorySample[], title: string): string {
  const minutes = Math.max(...samples.map(({ minute }) => minute));
  const most = Math.max(...samples.flatMap((sample) => sides.map(({ side }) => sample[side])));
  const [, ceiling = most] = scaleLinear([0, most], [0, 1]).nice().domain();
  return lineFile({
    title,
    x: { label: "minutes", domain: [0, minutes], isWhole: true },
    y: { label: "MiB", domain: [0, ceiling], isWhole: true },
    series: sides.map(({ side }) => ({
      name: `${side}, ${(samples.at(-1)?.[side] ?? 0).toFixed(0)} MiB`,
      tone: tones[side],
      points: samples.map((sample) => [sample.minute, sample[side]]),
    })),
  });
}
