import { basename, resolve } from "node:path";
import { Command, Option } from "commander";
import { defaultModelDir } from "../../captioner/bundle.ts";
import {
  type EngineChoice,
  engineChoices,
  type OnnxDevice,
  onnxDevices,
  type PrecisionChoice,
} from "../../captioner/engine.ts";
import { type CaptionOptions, defaultCaptionOptions, parseCaptionOptions } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import { invocationFolder, readCount, readMoment, readShare } from "../../terminal/command-line.ts";
import { openEndpoint, readEndpointRevision, readLocalRevision, startLocalModel } from "../caption/backend.ts";
import { dryRun } from "../caption/dry-run.ts";
import { type ConfidenceLimit, unsureChoices } from "../caption/pipeline.ts";
import { type CaptionRequest, runCaption } from "../caption/run.ts";
import { outputPlace } from "../outputs/output-stream.ts";
import { defaultStatePath } from "../state/state-path.ts";
import { addPhotoOutputOptions, type PhotoOutputFlags, precisionOption, trustOption } from "./options.ts";

interface Flags extends PhotoOutputFlags {
  null: boolean;
  since?: number;
  limit?: number;
  beam: string;
  candidates: string;
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
  dryRun: boolean;
}

/** `edge-caption caption <paths…>`. */
export function captionCommand(): Command {
  const folder = invocationFolder();
  const toPath = (path: string) => resolve(folder, path);
  const toOutput = (path: string) => (path === standardOutput ? path : toPath(path));
  const command = new Command("caption");
  command
    .description(
      "Captions photos, with the embedded model or at an endpoint: JPEG, PNG, WebP, GIF, AVIF, TIFF and HEIC.",
    )
    .argument("<paths...>", "photos, folders with all below them, patterns, or - for a list of paths on standard input")
    .optionsGroup("Which photos:")
    .option(
      "-0, --null",
      "the list has a NUL behind each path, as find -print0 writes it, instead of an end of line",
      false,
    )
    .option(
      "--since <when>",
      "only photos changed since a date (2026-05-01), or in the last hours, days or weeks (36h, 7d, 2w)",
      readMoment,
    )
    .option("--limit <count>", "caption at most this many that have no caption yet; the next run goes on", readCount)
    .option("--dry-run", "tell what would be captioned, one path a line, and do nothing", false)
    .optionsGroup("Captions:")
    .option(
      "--beam <n>",
      "beams of the search, 1 to 10; 1 is greedy search, the fastest",
      String(defaultCaptionOptions.beam),
    )
    .option(
      "--candidates <n>",
      "captions a photo, 1 to 5, at most as many as beams",
      String(defaultCaptionOptions.candidates),
    )
    .option("--min-confidence <share>", "leave captions below this confidence out, 0 to 1", readShare)
    .addOption(
      new Option("--below <what>", 'with --min-confidence: leave such captions out, or mark them with "(?)"')
        .choices(unsureChoices)
        .default("leave-out"),
    )
    .option("--model-dir <folder>", "model bundle to caption with", toPath, defaultModelDir)
    .addOption(
      new Option(
        "--engine <name>",
        "what runs the model; auto is tensorflow with a GPU (npm run setup:native), else onnx",
      )
        .choices(engineChoices)
        .default("auto"),
    )
    .addOption(precisionOption())
    .addOption(
      new Option("--device <name>", "what --engine onnx runs the encoder on; it fails where there is no such GPU")
        .choices(onnxDevices)
        .default("cpu"),
    )
    .addOption(
      new Option("--endpoint <url>", "caption at an edge instead; what it knows already is not uploaded").conflicts([
        "modelDir",
        "engine",
        "device",
      ]),
    )
    .addOption(new Option("--key <key>", "for an endpoint that asks for one").env("EDGE_CAPTION_KEY"))
    .option("--uploads <count>", "photos sent to the endpoint at once", readCount, 8)
    .optionsGroup("Where captions go, any several at once; - is standard output, and so is none:")
    .option(
      "--jsonl <file>",
      "a JSON object a line: the photo's path and its whole result; the file only grows",
      toOutput,
    )
    .option("--csv <file>", "a table, for spreadsheets", toOutput)
    .option("--html <file>", "a page to look at the captions and correct them", toOutput);
  return addPhotoOutputOptions(command)
    .option("--json", "JSON lines on standard output", false)
    .option("--quiet", "tell only what fails; captions on standard output stay", false)
    .option(
      "--state <file>",
      "what was captioned already (default: .edge-caption.jsonl beside the first output)",
      toPath,
    )
    .addOption(trustOption())
    .addHelpText("after", examples)
    .exitOverride()
    .action(async (paths: string[], flags: Flags) => {
      expectNoPrecisionElsewhere(command, flags);
      expectStateInFile(command, flags);
      const request = toRequest(paths, { ...flags, folder, options: readOptions(command, flags) });
      expectOutputsApart(command, { ...flags, state: request.statePath });
      const { failed } = await (flags.dryRun ? dryRun(request) : runCaption(request));
      if (failed > 0) process.exitCode = 1;
    });
}

const examples = `
Examples:
  edge-caption caption holiday.jpg
  edge-caption caption photos --csv captions.csv --html gallery.html
  edge-caption caption photos --xmp                     sidecars that digiKam and Immich read
  edge-caption caption photos --embed --since 7d        into the photos of the last week
  edge-caption caption 'photos/**/*.png' --json > captions.jsonl
  edge-caption caption photos --endpoint https://captions.example.com --csv captions.csv
  find . -name 'IMG_*' -print0 | edge-caption caption - -0 --txt

From a clone: npm run caption -- photos …
Photos that have their caption are passed over: start the same command again after Ctrl-C, or when photos have come.
A photo that cannot be captioned is reported while the others go on. Exit codes: 0 all done, 1 some failed, 2 wrong usage.
More: docs/cli.md`;

/** Of an endpoint's model it decides nothing. PRECISION in the environment is for whatever else runs there. */
function expectNoPrecisionElsewhere(command: Command, { endpoint }: Flags): void {
  if (endpoint === undefined || command.getOptionValueSource("precision") !== "cli") return;
  command.error("error: option '--endpoint <url>' cannot be used with option '--precision <name>'");
}

/** What is given for a file where standard output is meant. */
const standardOutput = "-";

function expectStateInFile(command: Command, { state }: Flags): void {
  if (state === undefined || basename(state) !== standardOutput) return;
  command.error("error: expected a file for option '--state <file>', received -");
}

/** Refuses two outputs in one file or on one stream, by whatever names: each would break the other. */
function expectOutputsApart(
  command: Command,
  { csv, html, json, jsonl, state }: Pick<Flags, "csv" | "html" | "json" | "jsonl"> & { state: string | undefined },
): void {
  const outputsAt = new Map<string, string[]>();
  const files = { "--csv": csv, "--html": html, "--jsonl": jsonl, "--json": json ? standardOutput : undefined };
  for (const [flag, file] of Object.entries({ ...files, "--state": state })) {
    const place = file === undefined ? undefined : outputPlace(file);
    if (place === undefined) continue;
    outputsAt.set(place, [...(outputsAt.get(place) ?? []), flag === "--json" ? flag : `${flag} ${file}`]);
  }
  const printed = outputPlace(standardOutput);
  for (const [place, outputs] of outputsAt) {
    if (outputs.length === 1) continue;
    const most = place === printed ? "output at most on standard output" : "output at most in a file";
    command.error(`error: expected one ${most}, received ${outputs.join(" and ")}`);
  }
}

function printsOf({ csv, html, json, jsonl }: Flags, isLasting: boolean): CaptionRequest["prints"] {
  if (json || jsonl === standardOutput) return "json";
  if (csv === standardOutput) return "table";
  if (html === standardOutput) return "gallery";
  return isLasting ? "nothing" : "captions";
}

function readOptions(command: Command, { beam, candidates }: Flags): CaptionOptions {
  try {
    return parseCaptionOptions(new URLSearchParams({ beam, candidates }));
  } catch (error) {
    if (error instanceof CaptionError) command.error(`error: ${error.message}`);
    throw error;
  }
}

/** Chooses the local model or an endpoint. */
function backendOf(flags: Flags & { options: CaptionOptions }): Pick<CaptionRequest, "startBackend" | "readRevision"> {
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
  flags: Flags & { folder: string; options: CaptionOptions },
): CaptionRequest {
  const { endpoint, folder, options, txt, xmp, embed, quiet, minConfidence } = flags;
  const inFile = (file: string | undefined) => (file === standardOutput ? undefined : file);
  const [jsonl, csv, html] = [inFile(flags.jsonl), inFile(flags.csv), inFile(flags.html)];
  const gathers = [jsonl, csv, html];
  const isLasting = gathers.some((file) => file !== undefined) || txt || xmp || embed;
  const statePath = flags.state ?? (isLasting ? defaultStatePath({ files: gathers, paths, folder }) : undefined);
  return {
    paths,
    isNulSeparated: flags.null,
    folder,
    sinceMs: flags.since,
    limit: flags.limit,
    options,
    outputs: { ...flags, jsonl, csv, html },
    statePath,
    trustsState: flags.trustState,
    prints: printsOf(flags, isLasting),
    waitingFor: quiet ? undefined : endpoint === undefined ? "loading the model…" : `asking ${endpoint}…`,
    isQuiet: quiet,
    showsProgress: !quiet && (isLasting || (process.stderr.isTTY && !process.stdout.isTTY)),
    confidence: minConfidence === undefined ? undefined : { least: minConfidence, below: flags.below },
    ...backendOf(flags),
  };
}
