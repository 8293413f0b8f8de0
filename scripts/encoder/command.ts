import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { invocationFolder } from "../../terminal/command-line.ts";
import { encoderRelease, releaseAddress } from "../../training/keras/release.ts";

/** What was asked for on the command line. Paths are absolute. */
export interface EncoderRequest {
  /** Undefined: Keras' release, from `address`. */
  weightsPath: string | undefined;
  address: string;
  cacheFolder: string;
  folder: string;
  isQuantized: boolean;
  licence: string | undefined;
}

interface Flags {
  weights?: string;
  download?: true;
  out: string;
  uint8?: true;
  licence?: string;
  mirror: string;
  cache: string;
}

const defaultCache = fileURLToPath(new URL("../../.cache", import.meta.url));

/** The command line of `npm run tool -- encoder`. */
export function encoderCommand(makeEncoder: (request: EncoderRequest) => Promise<void>): Command {
  const invokedFrom = invocationFolder();
  const toPath = (path: string) => resolve(invokedFrom, path);
  return new Command("npm run tool -- encoder")
    .description("Converts Keras' InceptionV3 weights into an encoder, for npm run train -- --encoder <folder>.")
    .option("--weights <file>", "weights in Keras' .h5 format, with or without the classifier", toPath)
    .addOption(new Option("--download", "Keras' own ImageNet weights, 88 MB, from its release").conflicts("weights"))
    .requiredOption("--out <folder>", "folder for the encoder; an existing one is replaced", toPath)
    .option(
      "--uint8",
      "keep kernels in 8 bits, a quarter of the size: 23 MB; without it float32, 88 MB, as Keras has them",
    )
    .option("--licence <name>", "licence of weights that are not Keras' own, for the manifest")
    .optionsGroup("Download:")
    .option("--mirror <address>", "a folder on the web that has the same file", readAddress, releaseAddress)
    .addOption(
      new Option("--cache <folder>", "folder that keeps the download")
        .argParser(toPath)
        .default(defaultCache, ".cache"),
    )
    .addHelpText("after", examples)
    .exitOverride()
    .action(({ weights, download, out, uint8, licence, mirror, cache }: Flags, command: Command) => {
      if (weights === undefined && download === undefined) {
        command.error("error: expected --weights <file> or --download, received neither");
      }
      return makeEncoder({
        weightsPath: weights,
        address: mirror,
        cacheFolder: cache,
        folder: out,
        isQuantized: uint8 === true,
        licence,
      });
    });
}

const examples = `
Examples:
  npm run tool -- encoder --download --out runs/encoder
  npm run tool -- encoder --weights ${encoderRelease.file} --out runs/encoder --uint8
  npm run train -- --encoder runs/encoder --data flickr8k --out runs/first
  MODEL_DIR=runs/first/bundle npm start

An encoder has no words: it captions once a decoder has been trained on it. A download is checked by its SHA-256 and
kept, so the second time needs no network. More: docs/encoder.md`;

function readAddress(text: string): string {
  if (/^https?:\/\/[^\s?#]+$/.test(text)) return text.replace(/\/$/, "");
  throw new InvalidArgumentError("Expected an address that begins with https:// or http://.");
}
