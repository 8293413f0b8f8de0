import { resolve } from "node:path";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { type Cleaning, cleanings } from "../shared/clean-caption.ts";
import { type Split, splits } from "./dataset.ts";
import { defaultSettings } from "./settings.ts";
import type { Stage, TrainContext } from "./stage.ts";

interface Flags {
  data: string;
  out: string;
  cleaning: Cleaning;
  minCount: number;
  wordVectors?: string;
  bundle: string;
  split: Split;
}

interface CommandParts {
  stages: readonly Stage[];
  train: (stages: readonly Stage[], context: TrainContext) => Promise<void>;
}

/** The command line of `npm run train`. */
export function trainCommand({ stages, train }: CommandParts): Command {
  const invokedFrom = process.env.INIT_CWD ?? process.cwd(); // npm runs scripts in the package's folder, wherever you are
  const names = stages.map(({ name }) => name);
  return new Command("npm run train --")
    .description("Makes a model bundle from captioned photos, stage by stage.")
    .addArgument(new Argument("[stage]", "only this one; without it prepare").choices(names))
    .requiredOption("--data <place>", "captioned photos: a folder in Flickr8k's layout, or a .jsonl file")
    .requiredOption("--out <folder>", "where results go, a folder a stage; made where it is missing")
    .addOption(
      new Option("--cleaning <name>", 'what is left of a caption: natural keeps "a" and "i", tutorial no single letter')
        .choices(cleanings)
        .default(defaultSettings.cleaning),
    )
    .option(
      "--min-count <times>",
      "a word is learnt that is seen this often in the training captions",
      readCount,
      defaultSettings.minCount,
    )
    .option(
      "--word-vectors <file>",
      "word vectors in GloVe's text format, gzip or not; prepare says how many words of the vocabulary they have",
      (file) => resolve(invokedFrom, file),
    )
    .option(
      "--bundle <folder>",
      "the model bundle that evaluate scores",
      (folder) => resolve(invokedFrom, folder),
      defaultSettings.bundle,
    )
    .addOption(
      new Option("--split <name>", "the photos that evaluate scores by").choices(splits).default(defaultSettings.split),
    )
    .addHelpText("after", describeStages(stages) + examples)
    .exitOverride()
    .action((name: string | undefined, { data, out, ...settings }: Flags) =>
      train(
        stages.filter((stage) => (name === undefined ? !stage.isOnRequest : stage.name === name)),
        { data: resolve(invokedFrom, data), out: resolve(invokedFrom, out), settings },
      ),
    );
}

function describeStages(stages: readonly Stage[]): string {
  return `\nStages:\n${stages.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join("\n")}\n`;
}

const examples = `
A stage whose data, settings and results are unchanged is passed over; delete its folder to have it done again.

Examples:
  npm run train -- --data flickr8k --out runs/first
  npm run train -- evaluate --data flickr8k --out runs/first
  npm run train -- prepare --data holiday/captions.jsonl --out runs/holiday --min-count 3

A line of the .jsonl file: {"image": "photos/1.jpg", "captions": ["a dog runs"], "split": "train"}
More: docs/training.md`;

function readCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number from 1.");
}
