import { runProgram } from "../terminal/run-program.ts";
import { checksOf } from "./smoke/checks.ts";
import { smokeCommand } from "./smoke/command.ts";
import { Deployment } from "./smoke/deployment.ts";
import { runChecks } from "./smoke/run-checks.ts";

/** `npm run tool -- smoke`. Exit codes: 0 all is as it should be, 1 something is not, 2 wrong usage. */
const program = smokeCommand(async (request) => {
  process.stdout.write(`${request.origin}\n`);
  if (!(await runChecks(checksOf(await Deployment.of(request))))) process.exitCode = 1;
});

await runProgram(program);
