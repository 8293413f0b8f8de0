import { Command, CommanderError } from "commander";
import { captionCommand } from "./caption-command.ts";

/** The `edge-caption` command. Exit codes: 0 all done, 1 something failed, 2 wrong usage. */
const program = new Command("edge-caption")
  .description("Captions photos with the embedded model: no server, no network.")
  .exitOverride()
  .addCommand(captionCommand());

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has said why
  else {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
