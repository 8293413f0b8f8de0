import { Command, Option } from "commander";
import { defaultModelDir } from "../gpu-service/bundle.ts";
import { startCaptioner, usualCaptionerSettings } from "../gpu-service/captioner.ts";
import { type EngineChoice, engineChoices } from "../gpu-service/engine.ts";
import { type CaptionOptions, defaultCaptionOptions, parseCaptionOptions } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { captionFiles, type FileOutcome } from "./caption-files.ts";

const maxBatch = 8;

interface Flags {
  beam: string;
  candidates: string;
  modelDir: string;
  engine: EngineChoice;
  json?: true;
}

/** `edge-caption caption <photos…>`. */
export function captionCommand(): Command {
  const command = new Command("caption");
  return command
    .description("Prints a caption for each photo, in their order: JPEG, PNG, WebP, GIF, AVIF or TIFF files.")
    .argument("<photos...>", "photo files")
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
    .option("--model-dir <folder>", "model bundle to caption with", defaultModelDir)
    .addOption(
      new Option(
        "--engine <name>",
        "what runs the model; auto is tensorflow with a GPU (npm run setup:native), else onnx",
      )
        .choices(engineChoices)
        .default("auto"),
    )
    .option("--json", "a JSON object a line: the photo's path, and its result or its error")
    .addHelpText("after", examples)
    .exitOverride()
    .action(async (paths: string[], flags: Flags) => {
      const options = readOptions(command, flags);
      if (!(await captionAll(paths, { ...flags, options }))) process.exitCode = 1;
    });
}

const examples = `
Examples:
  npm run caption -- holiday.jpg
  npm run caption -- photos/*.jpg --candidates 3
  npm run --silent caption -- photos/*.jpg --json > captions.jsonl

A photo that cannot be captioned is reported on standard error while the others go on; the exit code is then 1.`;

function readOptions(command: Command, { beam, candidates }: Flags): CaptionOptions {
  try {
    return parseCaptionOptions(new URLSearchParams({ beam, candidates }));
  } catch (error) {
    if (error instanceof CaptionError) command.error(`error: ${error.message}`);
    throw error;
  }
}

/** Returns whether every photo got its caption. */
async function captionAll(
  paths: readonly string[],
  { options, modelDir, engine, json }: Pick<Flags, "modelDir" | "engine" | "json"> & { options: CaptionOptions },
): Promise<boolean> {
  // npm runs its scripts in the package's folder and says where it was called from; under another script of npm's, that is not ours
  const folder = process.env.npm_lifecycle_event === "caption" ? (process.env.INIT_CWD ?? ".") : ".";
  const atOnce = 2 * maxBatch; // one batch in the model while the next is decoded
  const captioner = await startCaptioner({ ...usualCaptionerSettings, modelDir, engine, maxBatch });
  let areAllDone = true;
  try {
    for await (const outcome of captionFiles(paths, { captioner, options, folder, atOnce })) {
      if (json) process.stdout.write(`${JSON.stringify(outcome)}\n`);
      else print(outcome, { isAlone: paths.length === 1 });
      if ("error" in outcome) areAllDone = false;
    }
  } finally {
    await captioner.close();
  }
  return areAllDone;
}

function print(outcome: FileOutcome, { isAlone }: { isAlone: boolean }): void {
  if ("error" in outcome) {
    process.stderr.write(`${outcome.path}: ${outcome.error}\n`);
    return;
  }
  for (const { caption } of outcome.result.candidates) {
    process.stdout.write(isAlone ? `${caption}\n` : `${outcome.path}: ${caption}\n`);
  }
}
