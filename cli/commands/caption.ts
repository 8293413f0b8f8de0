import { resolve } from "node:path";
import { Command, Option } from "commander";
import { defaultModelDir } from "../../captioner/bundle.ts";
import {
  type EngineChoice,
  engineChoices,
  type OnnxDevice,
  onnxDevices,
  type PrecisionChoice,
} from "../../captioner/engine.ts";
import { RemotePhotos } from "../../files/remote/remote-photos.ts";
import { type Shard, shardPath } from "../../files/shard.ts";
import {
  defaultCaptionOptions,
  type FormOptions,
  parseCaptionOptions,
  type SearchOptions,
} from "../../shared/caption-options.ts";
import { CaptionError } from "../../shared/errors.ts";
import type { SourceHosts } from "../../shared/source-address.ts";
import { invocationFolder, readCount, readMoment, readShard, readShare } from "../../terminal/command-line.ts";
import { openEndpoint, readEndpointRevision, readLocalRevision, startLocalModel } from "../caption/backend.ts";
import { dryRun } from "../caption/dry-run.ts";
import { type ConfidenceLimit, unsureChoices } from "../caption/pipeline.ts";
import { type CaptionRequest, runCaption } from "../caption/run.ts";
import { defaultStatePath } from "../state/state-path.ts";
import {
  addPhotoOutputOptions,
  expectMetadataFor,
  maxBytesOption,
  type PhotoOutputFlags,
  precisionOption,
  sourceHostsOption,
  trustOption,
} from "./options.ts";
import {
  expectNoPrecisionElsewhere,
  expectOutputsApart,
  expectPlaceForKeywords,
  expectShardInParts,
  expectStateInFile,
  standardOutput,
} from "./refuse-flags.ts";

interface Flags extends PhotoOutputFlags {
  list?: string;
  null: boolean;
  since?: number;
  limit?: number;
  shard?: Shard;
  maxBytes: number;
  sourceHosts: SourceHosts;
  beam: string;
  candidates: string;
  maxWords?: string;
  sentence: boolean;
  neutral: boolean;
  keywords: boolean;
  modelDir: string;
  engine: EngineChoice;
  device: OnnxDevice;
  precision: PrecisionChoice;
  endpoint?: string;
  key?: string;
  uploads: number;
  jsonl?: string;
  csv?: string;
  html?: string;
  state?: string;
  trustState: boolean;
  minConfidence?: number;
  below: ConfidenceLimit["below"];
  json: boolean;
  quiet: boolean;
  exitZero: boolean;
  dryRun: boolean;
}

/** Makes the command `edge-caption caption <paths…>`. */
export function captionCommand(): Command {
  const folder = invocationFolder();
  const toPath = (path: string) => resolve(folder, path);
  const toOutput = (path: string) => (path === standardOutput ? path : toPath(path));
  const command = new Command("caption");
  command
    .description(
      "Captions photos (JPEG, PNG, WebP, GIF, AVIF, TIFF, HEIC, and the previews of raw photos) with the local model or at an endpoint.",
    )
    .argument(
      "[paths...]",
      "photos, folders with everything below them, patterns, addresses (s3://bucket/folder/, https://host/photo.jpg), or - to read a list of all these from standard input",
    )
    .optionsGroup("Which photos:")
    .option("--list <file>", "also those in a list, one path or address per line", toOutput)
    .option("-0, --null", "lines of the list end with a NUL, as find -print0 writes them, instead of a newline", false)
    .option(
      "--since <when>",
      "only photos changed since a date (2026-05-01) or within the last hours, days or weeks (36h, 7d, 2w)",
      readMoment,
    )
    .option(
      "--limit <count>",
      "caption at most this many of those without a caption; the next run continues",
      readCount,
    )
    .option(
      "--shard <part>",
      "caption only this part of the photos, such as 3/16; auto is the index of a Kubernetes Indexed Job",
      readShard,
    )
    .addOption(maxBytesOption())
    .addOption(sourceHostsOption())
    .option("--dry-run", "print the paths of the photos that would be captioned, and do nothing else", false)
    .optionsGroup("Captions:")
    .option(
      "--beam <n>",
      "beam width of the search, 1 to 10; 1 is greedy search, the fastest",
      String(defaultCaptionOptions.beam),
    )
    .option(
      "--candidates <n>",
      "captions per photo, 1 to 5, at most the beam width",
      String(defaultCaptionOptions.candidates),
    )
    .option("--max-words <n>", "end captions at about this many words, 5 to 20; a few more where they would end badly")
    .option("--sentence", "write captions with a capital and a full stop", false)
    .option("--neutral", "say person and child for man, woman, girl and boy (English)", false)
    .option("--min-confidence <share>", "leave out captions with a confidence below this, 0 to 1", readShare)
    .addOption(
      new Option(
        "--below <what>",
        'what --min-confidence does with such captions: leave them out, or mark them with "(?)"',
      )
        .choices(unsureChoices)
        .default("leave-out"),
    )
    .option("--model-dir <folder>", "folder of the model bundle", toPath, defaultModelDir)
    .addOption(
      new Option(
        "--engine <name>",
        "what runs the model; auto is tensorflow with a GPU (npm run setup:native), otherwise onnx",
      )
        .choices(engineChoices)
        .default("auto"),
    )
    .addOption(precisionOption())
    .addOption(
      new Option("--device <name>", "what --engine onnx runs the encoder on; fails if there is no such GPU")
        .choices(onnxDevices)
        .default("cpu"),
    )
    .addOption(
      new Option(
        "--endpoint <url>",
        "caption at an edge instead; photos that it knows already are not uploaded",
      ).conflicts(["modelDir", "engine", "device"]),
    )
    .addOption(new Option("--key <key>", "API key for the endpoint").env("EDGE_CAPTION_KEY"))
    .option("--uploads <count>", "photos uploaded to the endpoint at the same time", readCount, 8)
    .optionsGroup("Where captions go (any combination; by default, or with - as the file, standard output):")
    .option(
      "--jsonl <file>",
      "JSON lines with each photo's path and whole result; the file is only appended to",
      toOutput,
    )
    .option("--csv <file>", "a table for spreadsheets", toOutput)
    .option("--html <file>", "a page to look at the captions and correct them", toOutput);
  return addPhotoOutputOptions(command)
    .option(
      "--keywords",
      "with --xmp or --embed, also keywords from the candidates; with --json or --jsonl, in the results (English)",
      false,
    )
    .option("--json", "JSON lines on standard output", false)
    .option("--quiet", "report only failures; captions on standard output are still printed", false)
    .option(
      "--exit-zero",
      "exit with 0 even if photos failed, for batch jobs; still with 1 if a path was not found",
      false,
    )
    .option(
      "--state <file>",
      "file that remembers what was captioned (default: .edge-caption.jsonl beside the first output)",
      toPath,
    )
    .addOption(trustOption())
    .addHelpText("after", examples)
    .exitOverride()
    .action(async (paths: string[], flags: Flags) => {
      if (paths.length === 0 && flags.list === undefined) command.error("error: missing required argument 'paths'");
      expectNoPrecisionElsewhere(command, flags);
      expectStateInFile(command, flags);
      expectMetadataFor(command, flags);
      expectPlaceForKeywords(command, flags);
      expectShardInParts(command, flags);
      const request = toRequest(paths, { ...flags, folder, ...readOptions(command, flags) });
      expectOutputsApart(command, { ...flags, state: request.statePath });
      const { failed, notFound } = await (flags.dryRun ? dryRun(request) : runCaption(request));
      if (flags.exitZero ? notFound > 0 : failed > 0) process.exitCode = 1;
    });
}

const examples = `
Examples:
  edge-caption caption holiday.jpg
  edge-caption caption photos --csv captions.csv --html gallery.html
  edge-caption caption photos --xmp                     sidecars that digiKam and Immich read
  edge-caption caption photos --embed --since 7d        into the photos of the last week
  edge-caption caption photos --xmp --sentence --alt-text   sentences, as alternative text too
  edge-caption caption 'photos/**/*.png' --json > captions.jsonl
  edge-caption caption photos --endpoint https://captions.example.com --csv captions.csv
  find . -name 'IMG_*' -print0 | edge-caption caption - -0 --txt
  edge-caption caption s3://photos/2026/ --jsonl captions.jsonl       a bucket's photos, by AWS_PROFILE, AWS_ENDPOINT_URL_S3, …
  edge-caption caption --list addresses.txt --csv captions.csv        https addresses, presigned ones too
  edge-caption caption photos --shard 3/16 --jsonl captions.jsonl     on the third of 16 machines; then edge-caption join

From a clone: npm run caption -- photos …
Photos that already have a caption are skipped: run the same command again after Ctrl-C, or when there are new photos.
A photo that cannot be captioned is reported, and the others continue. Exit codes: 0 all done, 1 some failed, 2 wrong usage.
More: docs/cli.md`;

function printedForm({ csv, html, json, jsonl }: Flags, isLasting: boolean): CaptionRequest["prints"] {
  if (json || jsonl === standardOutput) return "json";
  if (csv === standardOutput) return "table";
  if (html === standardOutput) return "gallery";
  return isLasting ? "nothing" : "captions";
}

function readOptions(command: Command, flags: Flags): { options: SearchOptions; form: FormOptions } {
  const { beam, candidates, maxWords, sentence, neutral, keywords } = flags;
  const limit: Record<string, string> = maxWords === undefined ? {} : { maxWords };
  try {
    const options: SearchOptions = parseCaptionOptions(new URLSearchParams({ beam, candidates, ...limit }));
    return {
      options,
      form: {
        ...(sentence ? { style: "sentence" } : {}),
        ...(neutral ? { neutral } : {}),
        ...(keywords ? { keywords } : {}),
      },
    };
  } catch (error) {
    if (error instanceof CaptionError) command.error(`error: ${error.message}`);
    throw error;
  }
}

/** Chooses the local model or an endpoint. */
function backendOf(flags: Flags & { options: SearchOptions }): Pick<CaptionRequest, "startBackend" | "readRevision"> {
  const { endpoint, key: apiKey, options, uploads } = flags;
  if (endpoint === undefined) {
    return {
      startBackend: () => startLocalModel(flags),
      readRevision: () => readLocalRevision(flags),
    };
  }
  return {
    startBackend: () => openEndpoint({ endpoint, apiKey, options, uploads }),
    readRevision: () => readEndpointRevision({ endpoint, apiKey }),
  };
}

function toRequest(
  paths: readonly string[],
  flags: Flags & { folder: string; options: SearchOptions; form: FormOptions },
): CaptionRequest {
  const { list, endpoint, folder, options, form, txt, xmp, embed, quiet, minConfidence } = flags;
  const inFile = (file: string | undefined) => (file === standardOutput ? undefined : file);
  const ofShard = (file: string | undefined) =>
    file === undefined || flags.shard === undefined ? file : shardPath(file, flags.shard);
  const [jsonl, csv, html] = [ofShard(inFile(flags.jsonl)), inFile(flags.csv), inFile(flags.html)];
  const gathers = [jsonl, csv, html];
  const isLasting = gathers.some((file) => file !== undefined) || txt || xmp || embed;
  const statePath = ofShard(
    flags.state ?? (isLasting ? defaultStatePath({ files: gathers, paths, folder }) : undefined),
  );
  return {
    paths: list === standardOutput ? [...paths, list] : paths,
    list: list === standardOutput ? undefined : list,
    remote: new RemotePhotos({ maxBytes: flags.maxBytes, hosts: flags.sourceHosts }),
    isNulSeparated: flags.null,
    folder,
    sinceMs: flags.since,
    limit: flags.limit,
    shard: flags.shard,
    options,
    form,
    outputs: { ...flags, jsonl, csv, html },
    statePath,
    trustsState: flags.trustState,
    prints: printedForm(flags, isLasting),
    waitingFor: quiet ? undefined : endpoint === undefined ? "loading the model…" : `asking ${endpoint}…`,
    isQuiet: quiet,
    showsProgress: !quiet && (isLasting || (process.stderr.isTTY && !process.stdout.isTTY)),
    confidence: minConfidence === undefined ? undefined : { least: minConfidence, below: flags.below },
    ...backendOf(flags),
  };
}
