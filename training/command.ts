import { resolve } from "node:path";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { cleanings } from "../shared/clean-caption.ts";
import { precisions } from "../shared/contract.ts";
import { invocationFolder, readCount } from "../terminal/command-line.ts";
import { type DataSource, parseDataSource } from "./data-source.ts";
import { splits } from "./dataset.ts";
import { presets } from "./fit/recipe.ts";
import { defaultSettings, type Shard, type TrainSettings } from "./settings.ts";
import type { Stage, TrainContext } from "./stage.ts";

interface Flags extends TrainSettings {
  data: Omit<DataSource, "isDev">[];
  devData: string[];
  out: string;
}

interface CommandParts {
  stages: readonly Stage[];
  train: (stages: readonly Stage[], context: TrainContext) => Promise<void>;
}

/** The command line of `npm run train`. */
export function trainCommand({ stages, train }: CommandParts): Command {
  const folder = invocationFolder();
  const toPath = (path: string) => resolve(folder, path);
  const names = stages.map(({ name }) => name);
  return new Command("npm run train --")
    .description("Makes a model bundle from captioned photos, stage by stage.")
    .addArgument(new Argument("[stage]", "only this one; without it all that are not up to date").choices(names))
    .addOption(
      new Option(
        "--data <place>",
        "captioned photos in any of the forms below; several times for several, each with a weight, place:0.5 say",
      )
        .argParser(collect(readSource(toPath)))
        .default([], "none"),
    )
    .requiredOption("--out <folder>", "where results go, a folder a stage; made where it is missing")
    .option(
      "--dev-data <place>",
      "captioned photos to choose by and never to learn from; several times for several",
      collect(toPath),
      [],
    )
    .option(
      "--images <folder>",
      "look here, too, for the photos that caption files name; several times for several",
      collect(toPath),
      [],
    )
    .optionsGroup("Photos without captions:")
    .option(
      "--words <file>",
      "photos with words, of which each is learnt from the sentences of --text that fit them best",
      collect(toPath),
      [],
    )
    .option(
      "--keywords <folder>",
      "photos with keywords of their own, as Lightroom and digiKam write them, learnt in the same way",
      collect(toPath),
      [],
    )
    .option("--text <file>", "sentences without photos, one a line; several times for several", collect(toPath), [])
    .option(
      "--sentence-weight <weight>",
      "what such a sentence counts beside a written caption",
      readWeight,
      defaultSettings.sentenceWeight,
    )
    .optionsGroup("Captions and words:")
    .addOption(
      new Option(
        "--cleaning <name>",
        "the words of a caption: natural keeps those of all scripts, tutorial is the Keras tutorial's, for English",
      )
        .choices(cleanings)
        .default(defaultSettings.cleaning),
    )
    .option(
      "--min-count <times>",
      "a word is learnt that is seen this often in the training captions (default: 10; 2 with --from and up to 1500 captions)",
      readCount,
    )
    .option("--word-vectors <file>", "word vectors in GloVe's text format, gzip or not; they stay as they are", toPath)
    .option("--tune-embeddings", "learn the word vectors of --word-vectors on", defaultSettings.tuneEmbeddings)
    .addOption(
      new Option("--embedding-size <numbers>", "numbers of a word's vector, without --word-vectors")
        .argParser(readCount)
        .default(defaultSettings.embeddingSize)
        .conflicts("wordVectors"),
    )
    .optionsGroup("Photos:")
    .addOption(
      new Option("--encoder <folder>", "the model bundle whose encoder is used, or what npm run encoder made")
        .argParser(toPath)
        .default(defaultSettings.encoder, "the one that ships"),
    )
    .option("--flips", "learn from the photos' mirror images, too; features take twice as long", defaultSettings.flips)
    .option(
      "--shard <part>",
      "features: only this part of the photos, 3/16 say; a run without it takes the parts over",
      readShard,
    )
    .optionsGroup("Learning:")
    .addOption(
      new Option("--from <folder>", "go on from this model bundle: its encoder, its words, its decoder's weights")
        .argParser(toPath)
        .conflicts(["encoder", "wordVectors", "units", "embeddingSize", "tuneEmbeddings"]),
    )
    .addOption(
      new Option("--preset <name>", "the recipe (default: fine-tune with --from, else default)").choices(presets),
    )
    .option("--epochs <count>", "in the place of the preset's", readCount)
    .option("--batch <captions>", "captions a step, in the place of the preset's", readCount)
    .option("--learning-rate <rate>", "the highest, in the place of the preset's", readRate)
    .option("--units <count>", "width of the decoder's layers", readCount, defaultSettings.units)
    .option("--seed <number>", "draws first weights, order and dropout", readSeed, defaultSettings.seed)
    .optionsGroup("The bundle:")
    .option("--max-words <count>", "words of the longest caption that it makes", readWords, defaultSettings.maxWords)
    .option("--licence <name>", "its licence (default: that of the bundle whose encoder is used)")
    .option("--id <name>", "its name (default: the data's name and -merge)", readId)
    .optionsGroup("Evaluation:")
    .addOption(
      new Option("--bundle <folder>", "the model bundle that evaluate scores and report shows")
        .argParser(toPath)
        .default(defaultSettings.bundle, "the one that ships"),
    )
    .addOption(
      new Option("--split <name>", "the photos that evaluate scores by").choices(splits).default(defaultSettings.split),
    )
    .addOption(
      new Option("--precision <name>", "what its encoder is computed in while evaluate runs it")
        .choices(precisions)
        .default(defaultSettings.precision),
    )
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

function describeStages(stages: readonly Stage[]): string {
  return `\nStages:\n${stages.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join("\n")}\n`;
}

const examples = `
A stage whose data, settings and results are unchanged is passed over; delete its folder to have it done again.
Ctrl-C at any time: the next run goes on from the last epoch, or the last 64 photos.

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

/** Gathers the values of an option that may be given several times. */
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

function readWords(text: string): number {
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

function readShard(text: string): Shard {
  const [, number = 0, of = 0] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).map(Number);
  if (number >= 1 && number <= of) return { number, of };
  throw new InvalidArgumentError("Expected a part of the whole, like 3/16.");
}

function readId(text: string): string {
  if (/^[a-z0-9][a-z0-9.-]*$/.test(text)) return text;
  throw new InvalidArgumentError("Expected lower-case letters, digits, dots and dashes.");
}
