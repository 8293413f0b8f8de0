import { join } from "node:path";
import { openBundle } from "../captioner/bundle.ts";
import { digestFile } from "../files/regular-file.ts";
import { terminalText } from "../shared/terminal-text.ts";
import { evaluate, evaluatedFiles } from "./evaluate.ts";
import { preparedFiles } from "./prepared.ts";
import { renderReport } from "./report/page.ts";
import { metricsPath, readReportInput } from "./report/report-input.ts";
import { type Stage, stageFolder, type TrainContext } from "./stage.ts";
import { type Dependencies, isRecorded, readOutputs, writeOutputs } from "./stage-record.ts";

const page = "report.html";

/**
 * In: what `evaluate` wrote about a bundle, the bundle, `prepare`'s captions and summary, the photos; `fit`'s metrics, where
 * it was trained here. Out, into `report/`: `report.html`, which holds photos of the data and is for looking at.
 */
export const report: Stage = {
  name: "report",
  about: "shows scores, photos, confidence, words and the network of what evaluate scored on one page; when named",
  isOnRequest: true,

  async isUpToDate(context) {
    return isRecorded(stageFolder(context, "report"), await dependenciesOf(context));
  },

  async run(context) {
    if (!(await evaluate.isUpToDate(context))) {
      throw new Error(
        "expected what evaluate makes with these flags, found scores of another bundle or split: run the stage evaluate first",
      );
    }
    const dependencies = await dependenciesOf(context);
    const folder = stageFolder(context, "report");
    const text = await renderReport(await readReportInput(context));
    await writeOutputs(folder, { dependencies, files: { [page]: [text] } });
    process.stdout.write(`${terminalText(join(folder, page))}\n`);
  },
};

async function dependenciesOf(context: TrainContext): Promise<Dependencies> {
  const prepared = await readOutputs(stageFolder(context, "prepare"), "prepare");
  const evaluated = await readOutputs(stageFolder(context, "evaluate"), "evaluate");
  const bundle = await openBundle(context.settings.bundle);
  const metrics = await metricsPath(context, bundle);
  return {
    settings: { split: context.settings.split },
    inputs: {
      captions: prepared[preparedFiles.captions]?.sha256 ?? "",
      summary: prepared[preparedFiles.summary]?.sha256 ?? "",
      scores: evaluated[evaluatedFiles.scores]?.sha256 ?? "",
      evaluated: evaluated[evaluatedFiles.captions]?.sha256 ?? "",
      bundle: bundle.revision,
      ...(metrics === undefined ? {} : { metrics: (await digestFile(metrics)).sha256 }),
    },
  };
}
