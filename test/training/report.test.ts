import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { Evaluation } from "../../training/evaluate/evaluate-captions.ts";
import { evaluate } from "../../training/evaluate.ts";
import { exportBundle } from "../../training/export.ts";
import { features } from "../../training/features.ts";
import { fit } from "../../training/fit.ts";
import { prepare } from "../../training/prepare.ts";
import { times100 } from "../../training/report/figures.ts";
import { readReportInput } from "../../training/report/report-input.ts";
import { scoreSection } from "../../training/report/score-section.ts";
import { report } from "../../training/report.ts";
import { beginRun, isUpToDate, runStage, runStages } from "../../training/run-stages.ts";
import { defaultSettings, type TrainSettings } from "../../training/settings.ts";
import type { Stage, TrainRequest } from "../../training/stage.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { enoughCaptions, makeJsonl, oneSource } from "./made-dataset.ts";
import { listen } from "./run-prepare.ts";

const hostile = `<script>alert("1")</script> <img src='x' onerror=alert(1)> & so on`;

/** Photos for training, one for dev and four for test, one of which has captions to be careful with. */
async function makeData(): Promise<string> {
  const splits = ["train", "train", "dev", "test", "test", "test", "test"];
  const captions = (index: number) => [...enoughCaptions, index === 4 ? hostile : `Number ${index} .`];
  const lines = splits.map((split, index) => ({ image: `${index}.jpg`, captions: captions(index), split }));
  const data = await makeJsonl(lines);
  for (const [index, bytes] of (await madePhotos(splits.length)).entries()) {
    await writeFile(join(dirname(data), `${index}.jpg`), bytes);
  }
  return data;
}

/** Runs stages on made photos and returns the run and what they said. */
async function run(
  stages: readonly Stage[],
  { context, ...settings }: Partial<TrainSettings> & { context?: TrainRequest } = {},
): Promise<{ context: TrainRequest; said: string }> {
  const made = context ?? {
    data: oneSource(await makeData()),
    out: await temporaryFolder(),
    settings: { ...defaultSettings, minCount: 2, encoder: tinyBundle, bundle: tinyBundle },
  };
  const asked = { ...made, settings: { ...made.settings, ...settings } };
  const heard = listen();
  await runStages(stages, asked);
  return { context: asked, said: heard() };
}

async function pageOf({ out }: TrainRequest): Promise<string> {
  return readFile(join(out, "report", "report.html"), "utf8");
}

describe("report", () => {
  test("has every section, with the figures that evaluate wrote", async () => {
    const { context, said } = await run([prepare, evaluate, report]);
    const page = await pageOf(context);
    expect(said).toContain(join(context.out, "report", "report.html"));
    const scores: Evaluation = JSON.parse(await readFile(join(context.out, "evaluate", "scores.json"), "utf8"));
    expect(page).toContain("<h1>tiny</h1>");
    expect(page).toContain(scores.revision);
    for (const { search, bleu1, rougeL, intervals, words, confidence } of scores.searches) {
      expect(page).toContain(`this model, ${search}`);
      const [low, high] = intervals.bleu1;
      expect(page).toContain(`<td>${times100(bleu1)}<small>${times100(low)}–${times100(high)}</small></td>`);
      expect(page).toContain(`<td>${times100(rougeL)}<small>`);
      expect(page).toContain(`<td>${words}</td>`);
      if (search === "beam 5") continue; // by tenth, the searches of the photos are shown
      for (const tenth of confidence.tenths) expect(page).toContain(`<td>${times100(tenth.confidence)}</td>`);
    }
    expect([...page.matchAll(/<h2 id="(\w+)-title">/g)].map(([, id]) => id)).toEqual([
      "scores",
      "photos",
      "confidence",
      "words",
      "curves",
      "model",
    ]);
    expect(page).toContain("No curves: the output folder holds no record of how the decoder of tiny was trained.");
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
    expect(page).not.toContain("Tanti"); // these are not Flickr8k's photos
  });

  test("shows photos as small JPEGs, described by our caption, with both captions, CIDEr and confidence", async () => {
    const { context } = await run([prepare, evaluate, report]);
    const page = await pageOf(context);
    const images = [
      ...page.matchAll(/<img src="data:image\/jpeg;base64,([^"]+)" width="(\d+)" height="(\d+)" alt="([^"]+)"/g),
    ];
    expect(images).toHaveLength(6); // two each of the best, the worst and random ones
    const lines = (await readFile(join(context.out, "evaluate", "captions.jsonl"), "utf8")).trim().split("\n");
    const captions = lines.map((line) => JSON.parse(line)["beam 3"]);
    for (const [, source = "", width, height, caption] of images) {
      expect([width, height]).toEqual(["320", "240"]);
      const { format, width: stored } = await sharp(Buffer.from(source, "base64")).metadata();
      expect([format, stored]).toEqual(["jpeg", 320]);
      expect(captions).toContain(caption);
    }
    const input = await readReportInput(beginRun(context));
    const best = input.photos.toSorted((one, other) => other.cider["beam 3"] - one.cider["beam 3"])[0];
    expect(page).toContain(
      `CIDEr ${times100(best?.cider["beam 3"] ?? 0)}, confidence ${times100(best?.confidence?.["beam 3"] ?? 0)} %`,
    );
    const { searches } = input.evaluation;
    const mean = input.photos.reduce((sum, { cider }) => sum + cider.greedy, 0) / input.photos.length;
    expect(mean).toBeCloseTo(searches[0]?.cider ?? Number.NaN, 10);
  });

  test("escapes captions and asks nothing of any host", async () => {
    const { context } = await run([prepare, evaluate, report]);
    const page = await pageOf(context);
    expect(page).toContain("<li>&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#60;img src=&#39;x&#39; onerror=");
    expect(page).not.toMatch(/<script|<link|<iframe|<object|@import|https?:|<[^>]*\son\w+=/i);
    expect(
      [...page.matchAll(/\s(?:src|href)="([^"]{0,5})/g)].filter(([, to]) => !/^(?:data:|#)/.test(to ?? "")),
    ).toEqual([]);
    expect([...page.matchAll(/url\(([^)]*)\)/g)].every(([, to]) => to?.startsWith("#"))).toBe(true);
  });

  test("draws the curves of the training that made the bundle, and of no other", async () => {
    const training = { epochs: 2, units: 16, embeddingSize: 8 };
    const { context } = await run([prepare, features, fit, exportBundle], training);
    const bundle = join(context.out, "bundle");
    await run([evaluate, report], { context, bundle });
    const page = await pageOf(context);
    const metrics = (await readFile(join(context.out, "fit", "metrics.jsonl"), "utf8")).trim().split("\n");
    for (const { loss } of metrics.map((line) => JSON.parse(line)))
      expect(page).toContain(`<td>${loss.toFixed(3)}</td>`);
    expect(page).toMatch(/2 epochs\. Epoch [12] has the best CIDEr of beam 3 on the dev photos\./);
    for (const title of ["Loss", "CIDEr on dev", "BLEU-4 on dev", "Learning rate"]) {
      expect(page).toContain(`<figcaption>${title}</figcaption>`);
    }
    expect(page).not.toContain("<figcaption>Reward</figcaption>");

    await run([evaluate, report], { context, bundle: tinyBundle });
    expect(await pageOf(context)).toContain("No curves");
  });

  test("shows the published scores beside those of Flickr8k's test split alone", async () => {
    const { context } = await run([prepare, evaluate]);
    const input = await readReportInput(beginRun(context));
    const summary = { ...input.prepared.summary, photos: 8092, testPhotos: 1000, hasSplits: true };
    const flickr8k = { ...input, prepared: { ...input.prepared, summary } };
    const text = scoreSection(flickr8k).body.text;
    for (const score of ["46.9", "17.8", "63.0", "45.7"]) expect(text).toContain(`<td>${score}</td>`);
    expect(text).toContain("METEOR is not measured here");
    expect(scoreSection({ ...flickr8k, split: "dev" }).body.text).not.toContain("Tanti");
    expect(scoreSection(input).body.text).not.toContain("Tanti");
  });

  test("is the same file for the same input, and passed over until its input is another", async () => {
    const { context } = await run([prepare, evaluate, report]);
    const first = await pageOf(context);
    expect((await run([report], { context })).said).toMatch(/^report: up to date in /);
    const heard = listen();
    await runStage(report, beginRun(context));
    heard();
    expect(await pageOf(context)).toBe(first);
    await run([evaluate], { context, split: "train" });
    expect(await isUpToDate(report, beginRun({ ...context, settings: { ...context.settings, split: "train" } }))).toBe(
      false,
    );
  });

  test("says which stage comes first", async () => {
    const { context } = await run([prepare]);
    await expect(run([report], { context })).rejects.toThrow("run the stage evaluate first");
    await run([evaluate], { context });
    await expect(run([report], { context, split: "train" })).rejects.toThrow(
      "expected what evaluate makes with these flags, found scores of another bundle or split: run the stage evaluate first",
    );
  });
});
