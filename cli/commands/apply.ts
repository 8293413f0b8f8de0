import { dirname, resolve } from "node:path";
import { Command, Option } from "commander";
import { invocationFolder } from "../../terminal/command-line.ts";
import { findState } from "../state/state-path.ts";
import { applyCorrections } from "./apply-corrections.ts";
import { addPhotoOutputOptions, expectMetadataFor, type PhotoOutputFlags, trustOption } from "./options.ts";

interface Flags extends PhotoOutputFlags {
  root: string;
  state?: string;
  all: boolean;
  trustState: boolean;
  quiet: boolean;
}

/** Makes the command `edge-caption apply <csv>`. */
export function applyCommand(): Command {
  const folder = invocationFolder();
  const toPath = (path: string) => resolve(folder, path);
  const toTable = (path: string) => (path === "-" ? path : toPath(path));
  const command = new Command("apply");
  command
    .description("Writes captions that you corrected in the gallery or in a spreadsheet to their photos.")
    .argument(
      "<csv>",
      "table with the columns path and caption, or - for standard input; with the column id, a caption goes only to the photo that it was written for",
      toTable,
    )
    .addOption(
      new Option("--root <folder>", "folder that relative paths in the table start from")
        .argParser(toPath)
        .default(folder, "the current folder"),
    );
  return addPhotoOutputOptions(command)
    .option("--all", "also write captions that nobody changed, which are the model's own", false)
    .option("--quiet", "report only failures", false)
    .option(
      "--state <file>",
      "file that remembers what was captioned (default: .edge-caption.jsonl beside the table, or in --root or above)",
      toPath,
    )
    .addOption(trustOption())
    .addHelpText("after", examples)
    .exitOverride()
    .action(async (csvPath: string, { root, quiet, trustState: trustsState, ...flags }: Flags) => {
      if (!flags.txt && !flags.xmp && !flags.embed) {
        command.error("error: expected --txt, --xmp or --embed, which say where to write the captions");
      }
      expectMetadataFor(command, flags);
      const beside = csvPath === "-" ? undefined : findState(dirname(csvPath));
      const statePath = flags.state ?? beside ?? findState(root);
      const { failed } = await applyCorrections({
        ...flags,
        csvPath,
        statePath,
        trustsState,
        root,
        showsProgress: !quiet,
      });
      if (failed > 0) process.exitCode = 1;
    });
}

const examples = `
Examples:
  edge-caption apply corrected.csv --embed
  edge-caption apply ~/Downloads/corrected.csv --root ~/Pictures --xmp

Only captions that differ from the model's are written; an empty one removes ours. They are remembered in the state file:
later runs of edge-caption caption write them instead of the model's.
From a clone: npm run edge-caption -- apply …`;
