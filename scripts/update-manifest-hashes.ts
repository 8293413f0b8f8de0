import { resolve } from "node:path";
import { Command } from "commander";
import { invocationFolder } from "../terminal/command-line.ts";
import { runProgram } from "../terminal/run-program.ts";
import { sealBundle } from "../training/write-bundle.ts";

/** `npm run tool -- update-manifest-hashes`. Exit codes: 0 updated, 1 something failed, 2 wrong usage. */
const program = new Command("npm run tool -- update-manifest-hashes")
  .description(
    "Writes the size and SHA-256 of every file of a model bundle into its manifest.json, and checks the bundle.",
  )
  .argument("<bundles...>", "bundle folders")
  .exitOverride()
  .action(async (folders: string[]) => {
    for (const folder of folders) {
      const { manifest, revision } = await sealBundle(resolve(invocationFolder(), folder));
      process.stdout.write(`${folder}: ${manifest.id}, revision ${revision}, ${manifest.files.length} files\n`);
    }
  });

await runProgram(program);
