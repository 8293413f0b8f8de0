import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { cacheFolder } from "../../captioner/engines/native-setup.ts";
import { invocationFolder } from "../../terminal/command-line.ts";
import { classicVersion, defaultVersion, type Kind } from "./checksums.ts";

/** The options of the command line. */
export interface SetupRequest {
  /** Undefined: for GPUs if this machine has one. */
  kind: Kind | undefined;
  /** TensorFlow's version. */
  version: string;
  /** Absolute path of a wheel, an archive or a folder, or a URL. */
  from: string | undefined;
  isClassic: boolean;
  withCuda: boolean;
  /** Whether files without a pinned hash are accepted. */
  isUnpinned: boolean;
  cacheFolder: string;
  isForced: boolean;
}

interface Flags {
  gpu?: true;
  cpu?: true;
  tensorflow: string;
  from?: string;
  classic?: true;
  withCuda?: true;
  unpinned?: true;
  cache?: string;
  force?: true;
}

/** The command line of `npm run setup:native`. */
export function setupCommand(setUp: (request: SetupRequest) => Promise<void>): Command {
  const invokedFrom = invocationFolder();
  return new Command("npm run setup:native --")
    .description("Sets up the native engine: TensorFlow's own library under @tensorflow/tfjs-node-gpu.")
    .addOption(new Option("--gpu", "the library for NVIDIA GPUs (default if one is detected)").conflicts("cpu"))
    .option("--cpu", "the library without GPU support, less than half as large")
    .addOption(
      new Option("--with-cuda", "also fetch CUDA and cuDNN, if the system has none").conflicts(["cpu", "classic"]),
    )
    .addOption(
      new Option("--from <place>", "TensorFlow from this wheel, libtensorflow archive, folder or URL, without pip")
        .conflicts("classic")
        .argParser((place) => readPlace(place, { invokedFrom })),
    )
    .option("--classic", `the package's own libtensorflow ${classicVersion}: CUDA 11.2, no GPU newer than Ampere`)
    .option("--tensorflow <version>", "version of TensorFlow to fetch", readVersion, defaultVersion)
    .option("--unpinned", "accept files whose hash is not pinned here")
    .option("--cache <folder>", "folder that keeps what is fetched and built (default: ~/.cache/edge-caption)")
    .option("--force", "unpack and build again even if it is set up")
    .addHelpText("after", examples)
    .exitOverride()
    .action((flags: Flags) =>
      setUp({
        kind: flags.gpu ? "gpu" : flags.cpu && "cpu",
        version: flags.classic ? classicVersion : flags.tensorflow,
        from: flags.from,
        isClassic: flags.classic === true,
        withCuda: flags.withCuda === true,
        isUnpinned: flags.unpinned === true,
        cacheFolder: flags.cache === undefined ? cacheFolder() : resolve(invokedFrom, flags.cache),
        isForced: flags.force === true,
      }),
    );
}

const examples = `
Examples:
  npm run setup:native                      the GPU library if a GPU is detected, else the CPU one
  npm run setup:native -- --gpu --with-cuda on a machine that has an NVIDIA driver and nothing else
  npm run setup:native -- --from ./tensorflow_cpu-2.20.0-….whl
                                            without pip or network: fetch that file elsewhere

It fetches a TensorFlow wheel through pip (nothing of Python is installed), checks its hash, unpacks the library,
compiles the binding with node-gyp (g++, make, python3), and trains a little to see that it runs. A second run only
does the last. The variable EDGE_CAPTION_CACHE sets --cache for every run. More: docs/native.md`;

function readPlace(place: string, { invokedFrom }: { invokedFrom: string }): string {
  return /^https?:\/\//.test(place) ? place : resolve(invokedFrom, place);
}

function readVersion(text: string): string {
  if (/^\d+\.\d+\.\d+$/.test(text)) return text;
  throw new InvalidArgumentError(`Expected a version such as ${defaultVersion}.`);
}
