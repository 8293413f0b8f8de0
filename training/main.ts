import { CommanderError } from "commander";
import { trainCommand } from "./command.ts";
import { evaluate } from "./evaluate.ts";
import { describeFileError } from "./file-error.ts";
import { prepare } from "./prepare.ts";
import { runStages } from "./stage.ts";

/** `npm run train`. Exit codes: 0 all done, 1 something failed, 2 wrong usage. */
const stages = [prepare, evaluate];

try {
  await trainCommand({ stages, train: runStages }).parseAsync();
} catch (error) {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has said why
  else {
    process.stderr.write(`${describeFileError(error) ?? (error instanceof Error ? error.message : error)}\n`);
    process.exitCode = 1;
  }
}
