import { runProgram } from "../terminal/run-program.ts";
import { trainCommand } from "./command.ts";
import { restartWithLibraries } from "./fit/backend.ts";
import { runStages } from "./run-stages.ts";
import { stages } from "./stages.ts";

/** Entry point of `npm run train`. Exit codes: 0 done, 1 failed, 2 wrong usage. */
const program = trainCommand({ stages, train: runStages });
program.hook("preAction", async () => {
  const code = await restartWithLibraries();
  if (code !== undefined) process.exit(code);
});
await runProgram(program);
