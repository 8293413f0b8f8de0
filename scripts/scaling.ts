import { runProgram } from "../terminal/run-program.ts";
import { scalingCommand } from "./scaling/command.ts";
import { describeScaling } from "./scaling/report.ts";

/** `npm run tool -- scaling`. Exit codes: 0 done, 1 what is wanted cannot be had, 2 wrong usage. */
await runProgram(scalingCommand((request) => void process.stdout.write(describeScaling(request))));
