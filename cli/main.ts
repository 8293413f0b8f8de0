import { Command } from "commander";
import { applyCommand } from "./apply-command.ts";
import { captionCommand } from "./caption-command.ts";
import { runProgram } from "./run-program.ts";
import { statusCommand } from "./status-command.ts";

/** The `edge-caption` command. Exit codes: 0 all done, 1 something failed, 2 wrong usage. */
const program = new Command("edge-caption")
  .description("Captions photos, with the embedded model or at an endpoint.")
  .exitOverride()
  .addCommand(captionCommand())
  .addCommand(statusCommand())
  .addCommand(applyCommand());

await runProgram(program);
