import { spawn } from "node:child_process";
import { expect, onTestFinished, test, vi } from "vitest";
import { growthOf, type MemorySample, memoryFaults, sampleMemory } from "./memory.ts";
import { memoryChart } from "./memory-chart.ts";

function samplesOf(edge: (index: number) => number): MemorySample[] {
  return Array.from({ length: 50 }, (_, index) => ({
    minute: index / 5,
    edge: edge(index),
    wrangler: 300,
    service: 500,
  }));
}

test("tells growth from what is loaded once and from single peaks", () => {
  const settles = samplesOf((index) => Math.min(400, 100 + 50 * index));
  const peaks = samplesOf((index) => (index % 7 === 0 ? 900 : 400));
  const grows = samplesOf((index) => 100 + 10 * index);

  expect(growthOf(settles, "edge")).toBe(0);
  expect(growthOf(peaks, "edge")).toBe(0);
  expect(growthOf(grows, "edge")).toBe(300);
  expect(growthOf(grows, "service")).toBe(0);
});

test("finds growth of the service wrong, but not within the first minutes, nor that of what runs it here", () => {
  const growsBy = (side: "edge" | "wrangler" | "service") =>
    samplesOf(() => 400).map((sample, index) => ({ ...sample, [side]: 100 + 10 * index }));
  const sentence = "soak: memory of the service has grown by 300 MiB, above 64";

  expect(memoryFaults(growsBy("service"))).toEqual([sentence]);
  expect(memoryFaults(growsBy("service").filter(({ minute }) => minute < 4))).toEqual([]);
  expect([...memoryFaults(growsBy("edge")), ...memoryFaults(growsBy("wrangler"))]).toEqual([]);
});

/** A process of the test's own, with a child that holds so many MiB, and uses them, or the system may take them back. */
function holder(mib: number): number {
  const hold = `process.title = "workerd"; globalThis.held = Buffer.alloc(${mib} * 2 ** 20, 1); setInterval(() => globalThis.held.fill(1), 200)`;
  const start = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(hold)}])`;
  const child = spawn(process.execPath, ["-e", `${start}; setInterval(() => undefined, 1000)`], { detached: true });
  onTestFinished(() => void process.kill(-(child.pid ?? Number.NaN), "SIGKILL"));
  return child.pid ?? Number.NaN;
}

test("counts a service with its engine, and apart from each other wrangler's workerd and the rest", async () => {
  const pids = { edge: holder(150), service: holder(80) };
  await vi.waitFor(
    async () => {
      const { edge, wrangler, service } = await sampleMemory({ pids });
      expect(edge).toBeGreaterThan(150);
      expect(wrangler).toBeLessThan(150);
      expect(wrangler).toBeGreaterThan(20);
      expect(service).toBeGreaterThan(100);
    },
    { timeout: 10_000, interval: 100 },
  );
});

test("draws a line a side, named at its end, and nothing that markup could break out of", () => {
  const svg = memoryChart(
    samplesOf((index) => 100 + index),
    "Memory <of> 10 minutes",
  );

  expect(svg.match(/<path /g)).toHaveLength(3);
  expect(svg).toContain("edge, 149 MiB");
  expect(svg).toContain("service, 500 MiB");
  expect(svg).toContain("Memory &#60;of&#62; 10 minutes");
  expect(svg).not.toContain("NaN");
});

test("keeps the lines' names apart where the lines end together", () => {
  const svg = memoryChart(
    samplesOf(() => 301),
    "Memory",
  );
  const places = [...svg.matchAll(/<text class="[a-z]+" x="[\d.]+" y="([\d.]+)">/g)].map(([, y]) => Number(y));

  expect(places).toHaveLength(3);
  const [first = 0, second = 0] = places.toSorted((one, other) => one - other).slice(1);
  expect(second - first).toBeGreaterThanOrEqual(16);
});
