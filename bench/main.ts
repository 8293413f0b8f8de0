import { resolve } from "node:path";
import { Argument, Command, InvalidArgumentError } from "commander";
import { figure } from "../scripts/docs/bench-tables.ts";
import { describeMachine } from "../scripts/docs/results.ts";
import { invocationFolder } from "../terminal/command-line.ts";
import { runProgram } from "../terminal/run-program.ts";
import type { Bench, BenchResult } from "./bench.ts";
import { cliThroughput, featuresThroughput } from "./bulk-throughput.ts";
import { edgeHit } from "./edge-hit.ts";
import { int8Encode, nativeEncode, wasmEncode } from "./encode.ts";
import { benchGpu } from "./gpu.ts";
import { openvinoEncode } from "./peers/openvino-encode.ts";
import { tutorialProgram } from "./peers/tutorial-program.ts";
import { peopleBesideAJob } from "./people-beside-a-job.ts";
import { drawPhases } from "./phases.ts";
import { prefixSearch } from "./prefix-search.ts";
import { type RecordedResult, recordResults } from "./record.ts";
import { serviceMemory, serviceStart } from "./service-footprint.ts";
import { idleLatency, overloadRefusal } from "./service-latency.ts";
import { queueForecast, serviceThroughput } from "./service-load.ts";
import { trainingStep } from "./training-step.ts";

/** `npm run bench`: all benches, or those named. */
const benches = [
  prefixSearch,
  wasmEncode,
  int8Encode,
  nativeEncode,
  openvinoEncode,
  trainingStep,
  featuresThroughput,
  serviceStart,
  serviceThroughput,
  idleLatency,
  overloadRefusal,
  serviceMemory,
  queueForecast,
  edgeHit,
  peopleBesideAJob,
  cliThroughput,
  tutorialProgram,
];

/** Each ends with one line, `<name>: <number> (ours …, peer …)`. */
const program = new Command("npm run bench --")
  .description("Measures, each figure as a ratio to a named peer.")
  .addArgument(new Argument("[bench...]", "benches to run; by default all").choices(benches.map(({ name }) => name)))
  .option(
    "--record",
    "write the figures to docs/results/bench.json; those of named benches with their own machine and day",
  )
  .addHelpText("after", `\nBenches:\n${benches.map(({ name, about }) => `  ${name.padEnd(22)}${about}`).join("\n")}`)
  .exitOverride()
  .action(async (names: string[], { record = false }: { record?: boolean }) => {
    exitOnSignal();
    console.log(describeMachine());
    const results: RecordedResult[] = [];
    for (const bench of benches.filter(({ name }) => names.length === 0 || names.includes(name))) {
      const outcome = await bench.run();
      if (typeof outcome === "string") console.log(`${bench.name}: passed over, ${outcome}`);
      else for (const result of [outcome].flat()) results.push(tell(bench, result));
    }
    if (record) await recordResults(results, { isWholeRun: names.length === 0 });
  });

program
  .command("phases")
  .description("Measures where a photo's time goes in the service: alone, large, and in a crowd.")
  .option("--chart <file>", "SVG file for a chart of it", "runs/phases.svg")
  .action(async ({ chart }: { chart: string }) => {
    exitOnSignal();
    await drawPhases(resolve(invocationFolder(), chart));
  });

program
  .command("gpu")
  .description("Measures photos per second on this machine's GPU, against its CPU.")
  .addArgument(new Argument("[batch...]", "batch sizes").argParser(readBatch).default([], "1 8 32 128"))
  .action(async (batches: number[]) => {
    exitOnSignal();
    await benchGpu(batches.length === 0 ? [1, 8, 32, 128] : batches);
  });

await runProgram(program);

/** Ends this program on a signal as `process.exit` does, which ends what it has started; by itself Node would leave that running. */
function exitOnSignal(): void {
  const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };
  for (const [signal, code] of Object.entries(exitCodes)) process.once(signal, () => process.exit(code));
}

function readBatch(text: string, before: readonly number[]): number[] {
  if (/^[1-9]\d{0,2}$/.test(text)) return [...before, Number(text)];
  throw new InvalidArgumentError("Expected a whole number from 1 to 999.");
}

function tell({ name, about }: Bench, { variant, number, ours, peer }: BenchResult): RecordedResult {
  const result = { name: variant === undefined ? name : `${name}-${variant}`, about, number, ours, peer };
  console.log(`${result.name}: ${figure(result)} (ours ${ours}, peer ${peer})`);
  return result;
}
