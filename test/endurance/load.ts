import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describeLoad, loadTable, memoryLegend, memoryTable } from "../../scripts/docs/endurance-tables.ts";
import { type LoadResult, writeResults } from "../../scripts/docs/results.ts";
import { endOnSignal, runProgram } from "../../terminal/run-program.ts";
import { type LoadRequest, loadCommand } from "./load/command.ts";
import { generateLoad, type LoadRun } from "./load/load-generator.ts";
import { withLoadTarget } from "./load/load-target.ts";
import { memoryFaults } from "./load/memory.ts";
import { memoryChart } from "./load/memory-chart.ts";
import { faultsOf, summarizeLoad, summarizeMemory } from "./load/report.ts";
import { soak } from "./load/soak.ts";

/** `npm run tool -- load`. Exit codes: 0 all is as it should be, 1 something is not, 2 wrong usage, 130 interrupted. */
await runProgram(loadCommand(load));

async function load({ modelDir, shapes, seconds, soak: soaking, record }: LoadRequest): Promise<void> {
  const ending = new AbortController();
  endOnSignal(ending); // before anything is started that could be left over
  const faults = await withLoadTarget({ modelDir, signal: ending.signal }, async ({ target, servers }) => {
    const faults: string[] = [];
    const tell = (run: LoadRun) => {
      const load = summarizeLoad(run);
      console.log(describeLoad(load));
      faults.push(...faultsOf(run));
      return load;
    };
    console.log(loadTable([]));
    const loads: LoadResult[] = [];
    for (const shape of shapes) loads.push(tell(await generateLoad(shape, { ...target, seconds })));
    if (soaking === undefined) {
      if (record) await writeResults("load.json", { loads });
      return faults;
    }
    const { run, samples } = await soak({ target, servers }, soaking.minutes);
    const load = tell(run);
    const memory = summarizeMemory(samples);
    console.log(`\n${memoryTable(memory)}\n\n${memoryLegend}`);
    if (record) await writeResults("soak.json", { load, ...memory });
    faults.push(...memoryFaults(samples));
    await mkdir(dirname(soaking.chart), { recursive: true });
    await writeFile(
      soaking.chart,
      memoryChart(samples, `Resident memory over ${soaking.minutes} minutes of the mixed load, MiB`),
    );
    console.log(`\nchart: ${soaking.chart}`);
    return faults;
  });
  for (const fault of faults) console.log(`- **wrong**: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
