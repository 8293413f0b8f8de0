import { expect, test } from "vitest";
import { html } from "../../../shared/html.ts";
import type { EpochMetrics } from "../../../training/fit/metrics.ts";
import { curveSection } from "../../../training/report/curve-section.ts";
import type { ReportInput } from "../../../training/report/report-input.ts";

const scores = { bleu1: 0.6, bleu2: 0.4, bleu3: 0.3, bleu4: 0.2, rougeL: 0.4, cider: 0.5 };

/** The section of a run of which these epochs are left, the last the best. */
function sectionOf(numbers: readonly number[]): string {
  const epochs = numbers.map(
    (epoch): EpochMetrics => ({
      epoch,
      loss: 3,
      learningRate: 1e-3,
      seconds: 1,
      dev: { greedy: { ...scores, cider: epoch / 100 }, "beam 3": { ...scores, cider: epoch / 100 } },
      samples: [],
    }),
  );
  return html`${curveSection({ epochs } as unknown as ReportInput).body}`.text; // all that it reads
}

test("draws every epoch inside its chart where a phase ended early and left some out", () => {
  const section = sectionOf([1, 2, 3, 25, 26, 40]);
  expect(section).toContain("6 epochs of 40: a phase ends early");
  const places = [...section.matchAll(/cx="([\d.]+)"/g)].map((match) => Number(match[1]));
  expect(Math.max(...places)).toBeLessThanOrEqual(360 - 12);
});

test.each([
  { best: "last", numbers: [1, 2, 3], anchor: "end" },
  { best: "only", numbers: [1], anchor: "start" },
])("names the best epoch where there is room for it: $best", ({ numbers, anchor }) => {
  expect(sectionOf(numbers)).toContain(`text-anchor="${anchor}">best</text>`);
});
