import { describeFault, faultTable } from "../../scripts/docs/endurance-tables.ts";
import {
  chaosResultsSchema,
  describeMachine,
  type FaultResult,
  readResults,
  writeResults,
} from "../../scripts/docs/results.ts";
import { showSpinner } from "../../terminal/progress.ts";
import { endOnSignal, runProgram } from "../../terminal/run-program.ts";
import { type ChaosRequest, chaosCommand } from "./chaos/command.ts";
import { faults as allFaults } from "./chaos/faults.ts";
import { describeRest, rowsInOrder, summarizeOutcome } from "./chaos/report.ts";
import { type Outcome, tryFault } from "./chaos/try-fault.ts";
import { PhotoSupply } from "./load/photo-supply.ts";

/** Different in their pixels; more would only take longer to paint. */
const paintedPhotos = 16;

/** `npm run chaos`. Exit codes: 0 promises kept, 1 one is broken or something failed, 2 wrong usage, 130 interrupted. */
await runProgram(chaosCommand(tryAll));

async function tryAll({ faults, record, ...trial }: ChaosRequest): Promise<void> {
  const ending = new AbortController();
  const earlier = record && faults.length < allFaults.length ? await readRowsOfThisMachine() : [];
  endOnSignal(ending); // before anything is started that could be left over
  const supply = await PhotoSupply.of(paintedPhotos);
  const outcomes: Outcome[] = [];
  const passedOver: string[] = [];
  console.log(faultTable([]));
  for (const fault of faults) {
    const obstacle = fault.obstacle?.();
    if (obstacle !== undefined) {
      passedOver.push(`- \`${fault.name}\` is passed over: ${obstacle}`);
      continue;
    }
    const hideProgress = showSpinner(`${fault.name}…`);
    try {
      const outcome = await tryFault(fault, { ...trial, supply, signal: ending.signal });
      outcomes.push(outcome);
      hideProgress();
      console.log(describeFault(summarizeOutcome(outcome)));
    } catch (error) {
      throw ending.signal.aborted ? ending.signal.reason : error;
    } finally {
      hideProgress();
    }
  }
  console.log(
    ["", describeRest(outcomes), ...passedOver].filter((line, index) => index === 0 || line !== "").join("\n"),
  );
  if (record)
    await writeResults("chaos.json", { faults: rowsInOrder([...outcomes.map(summarizeOutcome), ...earlier]) });
  if (outcomes.some(({ broken }) => broken.length > 0)) process.exitCode = 1;
}

/** Reads what a whole run has recorded. Throws if that was elsewhere: the figures of one table come from one machine. */
async function readRowsOfThisMachine(): Promise<FaultResult[]> {
  const { machine, faults } = await readResults("chaos.json", chaosResultsSchema);
  if (machine === describeMachine()) return faults;
  throw new Error(
    `expected rows that this machine recorded, found those of ${machine}: record all faults, without names`,
  );
}
