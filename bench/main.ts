import { Argument, Command } from "commander";
import { figure } from "../scripts/docs/bench-tables.ts";
import { type BenchResults, describeMachine, writeResults } from "../scripts/docs/results.ts";
import { runProgram } from "../terminal/run-program.ts";
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

/** `npm run bench`: all benches, or those named. */
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

/** Each ends with one line, `<name>: <number> (ours …, peer …)`. */
const program = new Command("npm run bench --")
  .description("Measures, each figure as a ratio to a named peer.")
  .addArgument(new Argument("[bench...]", "which; without any, all").choices(benches.map(({ name }) => name)))
  .option("--record", "write the figures of a whole run to docs/results/bench.json")
  .addHelpText("after", `\nBenches:\n${benches.map(({ name, about }) => `  ${name.padEnd(22)}${about}`).join("\n")}`)
  .exitOverride()
  .action(async (names: string[], { record = false }: { record?: boolean }, command: Command) => {
    if (record && names.length > 0) command.error("error: --record takes a whole run, without names");
    exitOnSignal();
    console.log(describeMachine());
    const results: BenchResults["results"] = [];
    for (const bench of benches.filter(({ name }) => names.length === 0 || names.includes(name))) {
      const outcome = await bench.run();
      if (typeof outcome === "string") console.log(`${bench.name}: passed over, ${outcome}`);
      else for (const result of [outcome].flat()) results.push(tell(bench, result));
    }
    if (record) await writeResults("bench.json", { results });
  });

await runProgram(program);

function tell({ name, about }: Bench, { variant, number, ours, peer }: BenchResult): BenchResults["results"][number] {
  const result = { name: variant === undefined ? name : `${name}-${variant}`, about, number, ours, peer };
  console.log(`${result.name}: ${figure(result)} (ours ${ours}, peer ${peer})`);
  return result;
}
