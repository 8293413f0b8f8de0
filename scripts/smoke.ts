import { runProgram } from "../terminal/run-program.ts";
import { checksOf } from "./smoke/checks.ts";
import { smokeCommand } from "./smoke/command.ts";
import { runChecks } from "./smoke/run-checks.ts";
import { Site } from "./smoke/site.ts";

/** `npm run tool -- smoke`. Exit codes: 0 all is as it should be, 1 something is not, 2 wrong usage. */
const program = smokeCommand(async (deployment) => {
  process.stdout.write(`${deployment.origin}\n`);
  if (!(await runChecks(checksOf(await Site.of(deployment))))) process.exitCode = 1;
});

await runProgram(program);
