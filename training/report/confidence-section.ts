import { lineFigure, type Series } from "../../pages/line-chart.ts";
import { html, type Markup } from "../../shared/html.ts";
import type { SearchEvaluation } from "../evaluate/evaluate-captions.ts";
import { shownSearches } from "./captioned-photo.ts";

import { times100 } from "./figures.ts";
import type { ReportInput } from "./report-input.ts";
import { type Section, table } from "./section.ts";

/** Whether the model knows how good its captions are. */
export function confidenceSection({ evaluation: { searches }, bundle }: ReportInput): Section {
  const shown = shownSearches.flatMap((name) => searches.find(({ search }) => search === name) ?? []);
  const calibrated = bundle.manifest.calibration !== undefined;
  const highest = Math.max(...shown.flatMap(({ confidence }) => confidence.tenths.map(({ cider }) => cider)), 0.1);
  return {
    id: "confidence",
    title: "Confidence",
    body: html`<p>Captions by tenth, from the least confident. On the diagonal, confidence equals the share of a caption's
content words that some reference has; above it the model is too modest, below it too sure. ${
      calibrated
        ? "The bundle has a calibration, fitted on dev, which is applied to the confidence of beam searches."
        : "The bundle has no calibration: confidence is the geometric mean of the words' probabilities."
    }</p>
<div class="charts">${lineFigure({
      title: "Confidence and content words in a reference",
      description: `Reliability by tenth. ${shown.map(describe).join(" ")}`,
      x: { label: "confidence, %", domain: [0, 100] },
      y: { label: "content words in a reference, %", domain: [0, 100] },
      series: seriesOf(shown, "contentPrecision"),
      diagonal: [
        [0, 0],
        [100, 100],
      ],
    })}${lineFigure({
      title: "Confidence and CIDEr",
      description: "CIDEr by tenth of the captions in the order of their confidence; the table has the figures.",
      x: { label: "confidence, %", domain: [0, 100] },
      y: { label: "CIDEr × 100", domain: [0, 110 * highest] },
      series: seriesOf(shown, "cider"),
    })}</div>
<p>Rank correlation of confidence and CIDEr: ${searches.map(({ search, confidence }, index) => `${index > 0 ? ", " : ""}${confidence.spearman?.toFixed(2) ?? "none"} ${search}`)}. 1 means
that confidence orders captions as CIDEr does, 0 that the two are unrelated.</p>
<details><summary>The same as a table</summary>${shown.map(tenthTable)}</details>`,
  };
}

function seriesOf(searches: readonly SearchEvaluation[], value: "contentPrecision" | "cider"): Series[] {
  return searches.map(({ search, confidence }) => ({
    name: search,
    tone: search === "beam 3" ? "one" : "two",
    points: confidence.tenths.map((tenth) => [100 * tenth.confidence, 100 * tenth[value]]),
  }));
}

function describe({ search, confidence: { tenths } }: SearchEvaluation): string {
  const points = tenths.map(
    ({ confidence, contentPrecision }) => `${whole(confidence)} % → ${whole(contentPrecision)} %`,
  );
  return `${search}: ${points.join(", ")}.`;
}

function tenthTable({ search, confidence: { tenths } }: SearchEvaluation): Markup {
  return table({
    caption: `By tenth, ${search}, times 100`,
    heading: ["tenth", "confidence", "content words in a reference", "CIDEr"],
    rows: tenths.map(({ confidence, contentPrecision, cider }, index) => [
      index + 1,
      times100(confidence),
      times100(contentPrecision),
      times100(cider),
    ]),
  });
}

function whole(fraction: number): string {
  return (100 * fraction).toFixed(0);
}
