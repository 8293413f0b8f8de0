import { Command } from "commander";
import { runProgram } from "../cli/run-program.ts";
import { sealBundle } from "../training/seal-bundle.ts";

/** `npm run seal`. */
const program = new Command("npm run seal --")
  .description(
    "Writes the size and SHA-256 of every file of a model bundle into its manifest.json, and checks the whole.",
  )
  .argument("<bundles...>", "bundle folders")
  .exitOverride()
  .action(async (folders: string[]) => {
    for (const folder of folders) {
      const { manifest, revision } = await sealBundle(folder);
      process.stdout.write(`${folder}: ${manifest.id}, revision ${revision}, ${manifest.files.length} files\n`);
    }
  });

await runProgram(program);
