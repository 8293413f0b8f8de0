import { runProgram } from "../terminal/run-program.ts";
import { scalingCommand } from "./scaling/command.ts";
import { describeScaling } from "./scaling/report.ts";

/** `npm run tool -- scaling`. Exit codes: 0 done, 1 the goal cannot be reached, 2 wrong usage. */
await runProgram(scalingCommand((request) => void process.stdout.write(describeScaling(request))));
