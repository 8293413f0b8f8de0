import { resolve } from "node:path";
import { Command } from "commander";
import { defaultModelDir } from "../captioner/bundle.ts";
import { invocationFolder } from "../terminal/command-line.ts";
import { runProgram } from "../terminal/run-program.ts";
import { compareForms } from "./compare-forms/compare.ts";

const toPath = (path: string) => resolve(invocationFolder(), path);

/** `npm run tool -- compare-forms`: what it changes for a model that photos come in another size or encoding. */
const program = new Command("npm run tool -- compare-forms")
  .description("Compares the features and captions of photos that stand in two folders under the same names.")
  .argument("<folder>", "photos in one form", toPath)
  .argument("<other>", "the same in another", toPath)
  .option("--model-dir <folder>", "the model bundle", toPath, defaultModelDir)
  .option("--direct", "without the form that the encoder learnt from, where the bundle names one", false)
  .exitOverride()
  .action(async (folder: string, other: string, flags: { modelDir: string; direct: boolean }) => {
    const { photos, meanCosine, leastCosine, alike } = await compareForms([folder, other], flags);
    process.stdout.write(
      `${photos} photos: cosine of the features, their mean taken off, ${meanCosine.toFixed(3)}, at worst ${leastCosine.toFixed(3)}; ` +
        `${alike} captions alike (beam 3)\n`,
    );
  });

await runProgram(program);
