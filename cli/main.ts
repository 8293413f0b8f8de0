import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import * as z from "zod";
import { invocationFolder } from "../terminal/command-line.ts";
import { runProgram } from "../terminal/run-program.ts";
import { applyCommand } from "./commands/apply.ts";
import { captionCommand } from "./commands/caption.ts";
import { jobsCommand } from "./commands/jobs.ts";
import { joinCommand } from "./commands/join.ts";
import { statusCommand } from "./commands/status.ts";

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")));

/** The `edge-caption` command. Exit codes: 0 all done, 1 something failed, 2 wrong usage. */
const program = new Command("edge-caption")
  .description("Captions photos with the local model or at an endpoint.")
  .version(version)
  .exitOverride()
  .addCommand(captionCommand(), { isDefault: true })
  .addCommand(statusCommand())
  .addCommand(applyCommand())
  .addCommand(joinCommand())
  .addCommand(jobsCommand());

/** Without a command, photos are captioned; a word that is neither a command nor a place is a typo. */
program.hook("preSubcommand", (_, subcommand) => {
  const [word = ""] = program.args;
  const isSlip = subcommand.name() === "caption" && /^[a-z][a-z-]*$/.test(word) && word !== "caption";
  if (!isSlip || existsSync(resolve(invocationFolder(), word))) return;
  program.error(`error: ${word} is neither a command (caption, status, apply, join, jobs) nor a file or folder`);
});

if (process.argv.length === 2) process.argv.push("--help");
await runProgram(program);
