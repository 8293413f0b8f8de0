import { CommanderError } from "commander";
import { describeFileError } from "../cli/file-error.ts";
import { trainCommand } from "./command.ts";
import { restartWithLibraries } from "./restart-with-libraries.ts";
import { runStages } from "./stage.ts";
import { stages } from "./stages.ts";

/** `npm run train`. Exit codes: 0 all done, 1 something failed, 2 wrong usage. */
try {
  const code = await restartWithLibraries();
  if (code === undefined) await trainCommand({ stages, train: runStages }).parseAsync();
  else process.exitCode = code;
} catch (error) {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has said why
  else {
    process.stderr.write(`${describeFileError(error) ?? (error instanceof Error ? error.message : error)}\n`);
    process.exitCode = 1;
  }
}
