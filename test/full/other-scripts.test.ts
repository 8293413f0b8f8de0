import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { makeJsonl } from "../training/made-dataset.ts";
import { tinyTraining, train } from "../training/run-prepare.ts";

const caption = "一只狗和两个穿T恤的孩子在海滩上奔跑";

test("a model learns from Chinese captions and writes them as people do, without spaces", {
  timeout: 300_000,
}, async () => {
  const lineOf = (image: string, split: string) => ({ image, captions: [`${caption}。`], split });
  const data = await makeJsonl([lineOf("1.png", "train"), lineOf("2.png", "train"), lineOf("3.png", "test")], {
    photos: ["1.png", "2.png", "3.png"],
  });
  const out = await temporaryFolder();
  const places = ["--data", data, "--out", out];
  const recipe = ["--preset", "tutorial", "--epochs", "200", "--learning-rate", "0.01", "--min-count", "1"];
  expect(await train(...places, ...tinyTraining, ...recipe)).toMatchObject({ code: 0 });
  expect(await train("evaluate", ...places, "--bundle", join(out, "bundle"))).toMatchObject({ code: 0 });
  const captioned = JSON.parse(await readFile(join(out, "evaluate/captions.jsonl"), "utf8"));
  const scores = JSON.parse(await readFile(join(out, "evaluate/scores.json"), "utf8"));
  expect(captioned["beam 3"]).toBe(caption.toLowerCase());
  const [greedy] = scores.searches;
  expect(greedy).toMatchObject({ words: 13, meanLength: 13, inTraining: 1 });
  expect(greedy.bleu4).toBeCloseTo(1, 6);
});
