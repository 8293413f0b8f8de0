import { Command } from "commander";
import { captionCommand } from "./caption-command.ts";
import { runProgram } from "./run-program.ts";

/** The `edge-caption` command. Exit codes: 0 all done, 1 something failed, 2 wrong usage. */
const program = new Command("edge-caption")
  .description("Captions photos with the embedded model: no server, no network.")
  .exitOverride()
  .addCommand(captionCommand());

await runProgram(program);
