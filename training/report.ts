import { join } from "node:path";
import { digestFile } from "../files/regular-file.ts";
import { terminalText } from "../shared/terminal-text.ts";
import { evaluate, evaluatedFiles } from "./evaluate.ts";
import { prepare } from "./prepare.ts";
import { preparedFiles } from "./prepared.ts";
import { renderReport } from "./report/page.ts";
import { metricsPath, readReportInput } from "./report/report-input.ts";
import type { Stage } from "./stage.ts";

const page = "report.html";

/**
 * Reads what `evaluate` wrote about a bundle, the bundle, `prepare`'s captions and summary, the photos, and `fit`'s
 * metrics if the bundle was trained here. Writes into `report/`: `report.html`, a page to look at, which contains
 * photos of the data.
 */
export const report: Stage = {
  name: "report",
  about: "shows scores, photos, confidence, words and the network of what evaluate scored on one page; only when named",
  isOnRequest: true,

  needs: [
    { stage: prepare, files: { captions: preparedFiles.captions, summary: preparedFiles.summary } },
    {
      stage: evaluate,
      files: { scores: evaluatedFiles.scores, evaluated: evaluatedFiles.captions },
      ifStale: { refuseAs: "scores of another bundle or split" },
    },
  ],

  async dependencies(context) {
    const bundle = await context.bundles.evaluated();
    const metrics = await metricsPath(context, bundle);
    return {
      settings: { split: context.settings.split },
      inputs: {
        bundle: bundle.revision,
        ...(metrics === undefined ? {} : { metrics: (await digestFile(metrics)).sha256 }),
      },
    };
  },

  async run(context) {
    const text = await renderReport(await readReportInput(context));
    await context.save({ files: { [page]: [text] } });
    process.stdout.write(`${terminalText(join(context.folder, page))}\n`);
  },
};
