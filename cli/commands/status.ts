import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { defaultModelDir } from "../../captioner/bundle.ts";
import type { PrecisionChoice } from "../../captioner/engine.ts";
import { findAllPhotos } from "../../files/find/find-photos.ts";
import { pathLine } from "../../files/find/read-path-list.ts";
import { terminalJson } from "../../shared/terminal-text.ts";
import { invocationFolder } from "../../terminal/command-line.ts";
import { say } from "../../terminal/progress.ts";
import { readLocalRevision } from "../caption/backend.ts";
import { readPhotoStatus } from "../state/photo-status.ts";
import { StateIndex } from "../state/state-index.ts";
import { openStateKey } from "../state/state-key.ts";
import { findState, stateIn } from "../state/state-path.ts";
import { precisionOption, trustOption } from "./options.ts";
import { describeStatus, StatusReport } from "./status-report.ts";

interface Flags {
  state?: string;
  trustState: boolean;
  modelDir: string;
  precision: PrecisionChoice;
  missing: boolean;
  json: boolean;
}

/** Makes the command `edge-caption status <folder>`. */
export function statusCommand(): Command {
  const invokedFrom = invocationFolder();
  const toPath = (path: string) => resolve(invokedFrom, path);
  return new Command("status")
    .description("Reports how many photos in a folder have a caption.")
    .argument("[folder]", "folder of photos, with everything below it", ".")
    .option("--missing", "print the paths of photos without a caption by this model, one per line", false)
    .option("--json", "print the report as JSON", false)
    .option(
      "--state <file>",
      "file that remembers what was captioned (default: .edge-caption.jsonl in the folder or above it)",
      toPath,
    )
    .addOption(trustOption())
    .option("--model-dir <folder>", "folder of the model bundle whose captions count", toPath, defaultModelDir)
    .addOption(precisionOption())
    .addHelpText("after", examples)
    .exitOverride()
    .action(async (folder: string, flags: Flags) => {
      const revision = await readLocalRevision({ ...flags, engine: "auto", device: "cpu" });
      const { photos, passedOver } = await findAllPhotos({
        takesRaw: true,
        paths: [folder],
        isNulSeparated: false,
        folder: invokedFrom,
      });
      const [found] = photos;
      if (found !== undefined && "error" in found && found.path === folder) {
        throw new Error(`${folder}: ${found.error}`);
      }
      const statePath = flags.state ?? findState(toPath(folder)) ?? stateIn(toPath(folder));
      if (flags.missing) say(`state: ${statePath}${existsSync(statePath) ? "" : ", which is not there"}`);
      const report = new StatusReport(revision);
      const key = await openStateKey({ makes: false });
      const index = await StateIndex.read(statePath, { key, trusts: flags.trustState });
      for await (const photo of readPhotoStatus(photos, { index, statePath, folder: invokedFrom })) {
        const standing = report.add(photo);
        if (flags.missing && standing !== "captioned") process.stdout.write(`${pathLine(photo.path)}\n`);
      }
      if (flags.json)
        process.stdout.write(
          `${terminalJson({ state: statePath, ...report.toJson(), passedOver: passedOver.toJson() })}\n`,
        );
      else if (!flags.missing) process.stdout.write(describeStatus(report, { statePath, passedOver }));
    });
}

const examples = `
Examples:
  edge-caption status photos
  edge-caption status photos --missing | edge-caption caption - --csv captions.csv

From a clone: npm run edge-caption -- status …`;
