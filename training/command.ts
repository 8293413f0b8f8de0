import { resolve } from "node:path";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { cleanings } from "../shared/clean-caption.ts";
import { precisions } from "../shared/contract.ts";
import { invocationFolder, readCount, readShard } from "../terminal/command-line.ts";
import { say } from "../terminal/progress.ts";
import { type DataSource, parseDataSource, splits } from "./dataset.ts";
import { presets } from "./fit/recipe.ts";
import { defaultSettings, type TrainSettings } from "./settings.ts";
import type { Stage, TrainRequest } from "./stage.ts";

interface Flags extends TrainSettings {
  data: Omit<DataSource, "isDev">[];
  devData: string[];
  out: string;
}

interface CommandParts {
  stages: readonly Stage[];
  train: (stages: readonly Stage[], request: TrainRequest) => Promise<void>;
}

/** Defines the command line of `npm run train`. */
export function trainCommand({ stages, train }: CommandParts): Command {
  const folder = invocationFolder();
  const toPath = (path: string) => resolve(folder, path);
  const names = stages.map(({ name }) => name);
  return new Command("npm run train --")
    .description("Trains a model bundle on captioned photos in stages, or fine-tunes an existing one.")
    .addArgument(
      new Argument("[stage]", "run only this stage; by default all that are not up to date")
        .choices(names)
        .argParser(readStageName(names)),
    )
    .addOption(
      new Option(
        "--data <place>",
        "captioned photos in any of the forms below; repeatable; place:0.5 gives them a weight",
      )
        .argParser(collect(readSource(toPath)))
        .default([], "none"),
    )
    .requiredOption("--out <folder>", "output folder, with a folder for each stage; created if missing")
    .addOption(
      new Option("--dev-data <place>", "captioned photos to choose between epochs by, never to learn from; repeatable")
        .argParser(collect(toPath))
        .default([], "none"),
    )
    .addOption(
      new Option("--images <folder>", "another folder to search for the photos that caption files name; repeatable")
        .argParser(collect(toPath))
        .default([], "none"),
    )
    .optionsGroup("Photos without captions:")
    .addOption(
      new Option(
        "--words <file>",
        "photos with words; each is learnt from the sentences of --text that fit its words best",
      )
        .argParser(collect(toPath))
        .default([], "none"),
    )
    .addOption(
      new Option(
        "--keywords <folder>",
        "photos with embedded keywords, as Lightroom and digiKam write them; learnt in the same way",
      )
        .argParser(collect(toPath))
        .default([], "none"),
    )
    .addOption(
      new Option("--text <file>", "sentences without photos, one per line; repeatable")
        .argParser(collect(toPath))
        .default([], "none"),
    )
    .option(
      "--sentence-weight <weight>",
      "weight of such a sentence relative to a written caption",
      readWeight,
      defaultSettings.sentenceWeight,
    )
    .optionsGroup("Captions and words:")
    .addOption(
      new Option(
        "--cleaning <name>",
        "how captions become words: natural keeps words of all scripts, tutorial is the Keras tutorial's, for English",
      )
        .choices(cleanings)
        .default(defaultSettings.cleaning),
    )
    .option(
      "--min-count <times>",
      "learn words that occur at least this often in the training captions (default: 10; 2 with --from and up to 1500 captions)",
      readCount,
    )
    .option("--word-vectors <file>", "word vectors in GloVe's text format, gzip or not; not trained further", toPath)
    .option("--tune-embeddings", "train the word vectors of --word-vectors further", defaultSettings.tuneEmbeddings)
    .addOption(
      new Option("--embedding-size <numbers>", "dimension of word vectors, without --word-vectors")
        .argParser(readCount)
        .default(defaultSettings.embeddingSize)
        .conflicts("wordVectors"),
    )
    .optionsGroup("Photos:")
    .addOption(
      new Option(
        "--encoder <folder>",
        "model bundle whose encoder is used, or an encoder made by npm run tool -- encoder",
      )
        .argParser(toPath)
        .default(defaultSettings.encoder, "the bundled model"),
    )
    .option("--flips", "learn from the photos' mirror images, too; features take twice as long", defaultSettings.flips)
    .option(
      "--shard <part>",
      "features only: encode this part of the photos, such as 3/16; a run without it takes the parts over",
      readShard,
    )
    .optionsGroup("Learning:")
    .addOption(
      new Option("--from <folder>", "continue from this model bundle: its encoder, its words, its decoder's weights")
        .argParser(toPath)
        .conflicts(["encoder", "wordVectors", "units", "embeddingSize", "tuneEmbeddings"]),
    )
    .addOption(
      new Option("--preset <name>", "training recipe (default: fine-tune with --from, else default)").choices(presets),
    )
    .option("--epochs <count>", "number of epochs; replaces the preset's", readCount)
    .option("--batch <captions>", "captions per step; replaces the preset's", readCount)
    .option("--learning-rate <rate>", "peak learning rate; replaces the preset's", readRate)
    .option("--units <count>", "width of the decoder's layers", readCount, defaultSettings.units)
    .option("--seed <number>", "seed of initial weights, order and dropout", readSeed, defaultSettings.seed)
    .optionsGroup("The bundle:")
    .option("--max-words <count>", "maximum length of its captions, in words", readWordCount, defaultSettings.maxWords)
    .option("--licence <name>", "its licence (default: that of the bundle whose encoder is used)")
    .option("--id <name>", "its name (default: the data's name and -merge)", readId)
    .optionsGroup("Evaluation:")
    .addOption(
      new Option("--bundle <folder>", "model bundle that evaluate scores and report shows")
        .argParser(toPath)
        .default(defaultSettings.bundle, "the bundled model"),
    )
    .addOption(new Option("--split <name>", "photos to evaluate on").choices(splits).default(defaultSettings.split))
    .addOption(
      new Option("--precision <name>", "precision of its encoder in evaluate")
        .choices(precisions)
        .default(defaultSettings.precision),
    )
    .option("--neutral", "evaluate its captions with person and child for man, woman, girl and boy", false)
    .addHelpText("after", describeStages(stages) + examples)
    .exitOverride()
    .action((name: string | undefined, { data, devData, out, ...settings }: Flags, command: Command) => {
      const needsSentences = settings.words.length + settings.keywords.length > 0;
      if (data.length === 0 && !needsSentences) command.error("error: required option '--data <place>' not specified");
      if (needsSentences && settings.text.length === 0) {
        command.error("error: --words and --keywords need sentences to choose from: add --text <file>");
      }
      if (settings.shard !== undefined && name !== "features") {
        command.error("error: --shard is for the stage features alone: npm run train -- features --shard …");
      }
      return train(
        stages.filter((stage) => (name === undefined ? !stage.isOnRequest : stage.name === name)),
        {
          data: [
            ...data.map((source) => ({ ...source, isDev: false })),
            ...devData.map((path) => ({ path, weight: 1, isDev: true })),
          ],
          out: toPath(out),
          settings,
        },
      );
    });
}

/** Earlier names of stages, accepted for one release. */
const earlierNames: ReadonlyMap<string, string> = new Map([["calibrate", "quantize"]]);

function readStageName(names: readonly string[]): (text: string) => string {
  return (text) => {
    const name = earlierNames.get(text) ?? text;
    if (!names.includes(name)) throw new InvalidArgumentError(`Allowed choices are ${names.join(", ")}.`);
    if (name !== text) say(`${text} is now called ${name}`);
    return name;
  };
}

function describeStages(stages: readonly Stage[]): string {
  return `\nStages:\n${stages.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join("\n")}\n`;
}

const examples = `
A stage whose data, settings and results are unchanged is skipped; delete its folder to run it again.
Ctrl-C at any time: the next run continues from the last epoch, or the last 64 photos.

Examples:
  npm run train -- --data flickr8k --out runs/first --word-vectors glove.6B.200d.txt
  MODEL_DIR=runs/first/bundle npm start
  npm run train -- --data holiday/captions.jsonl --out runs/holiday --from models/default
  npm run train -- features --data flickr8k --out runs/first --shard 3/16
  npm run train -- evaluate --data flickr8k --out runs/first --bundle runs/first/bundle

Captioned photos: Flickr8k's layout, Kaggle's captions.txt or results.csv, COCO's captions_*.json, Karpathy's dataset_*.json,
Hugging Face's metadata.jsonl or .csv, a table with the columns path and caption, photos with a .txt or .caption file each,
what edge-caption writes with --jsonl, --csv and --txt, or JSON lines:
{"image": "photos/1.jpg", "captions": ["a dog runs"], "split": "train"}
More: docs/training.md`;

/** Collects the values of a repeatable option. */
function collect<Value>(read: (text: string) => Value): (text: string, earlier: readonly Value[]) => Value[] {
  return (text, earlier) => [...earlier, read(text)];
}

function readSource(toPath: (path: string) => string): (text: string) => Omit<DataSource, "isDev"> {
  return (text) => {
    try {
      const { path, weight } = parseDataSource(text);
      return { path: toPath(path), weight };
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

function readWeight(text: string): number {
  const weight = Number(text);
  if (weight > 0 && weight <= 1) return weight;
  throw new InvalidArgumentError("Expected a number above 0, at most 1.");
}

function readWordCount(text: string): number {
  const count = readCount(text);
  if (count <= 1000) return count;
  throw new InvalidArgumentError("Expected at most 1000 words.");
}

function readSeed(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}

function readRate(text: string): number {
  const rate = Number(text);
  if (rate > 0 && rate <= 1) return rate;
  throw new InvalidArgumentError("Expected a number above 0, at most 1.");
}

function readId(text: string): string {
  if (/^[a-z0-9][a-z0-9.-]*$/.test(text)) return text;
  throw new InvalidArgumentError("Expected lower-case letters, digits, dots and dashes.");
}
