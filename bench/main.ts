import { availableParallelism, cpus, totalmem } from "node:os";
import type { Bench, BenchResult } from "./bench.ts";
import { cliThroughput } from "./cli-throughput.ts";
import { edgeHit } from "./edge-hit.ts";
import { featuresThroughput } from "./features-throughput.ts";
import { idleLatency } from "./idle-latency.ts";
import { int8Encode } from "./int8-encode.ts";
import { exitOnSignal } from "./interruption.ts";
import { nativeEncode } from "./native-encode.ts";
import { overloadRefusal } from "./overload-refusal.ts";
import { prefixSearch } from "./prefix-search.ts";
import { queueForecast } from "./queue-forecast.ts";
import { serviceMemory } from "./service-memory.ts";
import { serviceStart } from "./service-start.ts";
import { serviceThroughput } from "./service-throughput.ts";
import { trainingStep } from "./training-step.ts";
import { wasmEncode } from "./wasm-encode.ts";

/** `npm run bench`: all benches, or those named. Each ends with one line, `<name>: <number> (ours …, peer …)`. */
const benches = [
  prefixSearch,
  wasmEncode,
  int8Encode,
  nativeEncode,
  trainingStep,
  featuresThroughput,
  serviceStart,
  serviceThroughput,
  idleLatency,
  overloadRefusal,
  serviceMemory,
  queueForecast,
  edgeHit,
  cliThroughput,
];
const names = process.argv.slice(2);
const unknown = names.filter((name) => !benches.some((bench) => bench.name === name));

if (names.includes("--help") || unknown.length > 0) {
  for (const name of unknown.filter((name) => name !== "--help")) console.error(`there is no bench ${name}`);
  console.log("usage: npm run bench -- [name…]\n");
  for (const { name, about } of benches) console.log(`${name.padEnd(22)}${about}`);
  process.exit(names.includes("--help") ? 0 : 2);
}

exitOnSignal();
const [processor] = cpus();
const memory = Math.round(totalmem() / 2 ** 30);
console.log(
  `${availableParallelism()} cores of ${processor?.model.trim()}, ${memory} GiB, Node ${process.versions.node}`,
);
for (const bench of benches.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const outcome = await bench.run();
  if (typeof outcome === "string") console.log(`${bench.name}: passed over, ${outcome}`);
  else for (const result of [outcome].flat()) console.log(describe(bench, result));
}

function describe({ name }: Bench, { variant, number, ours, peer }: BenchResult): string {
  const fullName = variant === undefined ? name : `${name}-${variant}`;
  return `${fullName}: ${number.toFixed(number < 2 ? 2 : 1)} (ours ${ours}, peer ${peer})`;
}
