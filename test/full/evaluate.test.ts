import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scoreCaptions } from "../../training/score/score-captions.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { enoughCaptions, makeFlickr8k, tokensOf } from "../training/made-dataset.ts";
import { train } from "../training/run-prepare.ts";

async function prepared({ tokens }: { tokens?: string } = {}): Promise<string[]> {
  const splits = { train: ["one.jpg"], dev: [], test: ["two.jpg"] };
  const data = await makeFlickr8k(tokens === undefined ? splits : { ...splits, tokens });
  const places = ["--data", data, "--out", await temporaryFolder(), "--min-count", "2", "--bundle", tinyBundle];
  expect((await train("prepare", ...places)).code).toBe(0);
  return places;
}

test("scores the captions of a split, greedy and by beams, and keeps them beside their references", async () => {
  const places = await prepared();
  const { code, stdout } = await train("evaluate", ...places);
  expect(code).toBe(0);
  const folder = join(places[3] ?? "", "evaluate");
  const scores = JSON.parse(await readFile(join(folder, "scores.json"), "utf8"));
  const photo = JSON.parse(await readFile(join(folder, "captions.jsonl"), "utf8"));
  expect(photo).toMatchObject({ id: "two", references: { length: 3 } });
  expect(Object.keys(photo.confidence)).toEqual(["greedy", "beam 3", "beam 5"]);
  const [tenth] = scores.searches[1].confidence.tenths; // of one photo there is one
  expect(tenth.confidence).toBe(photo.confidence["beam 3"]);
  expect(scores).toMatchObject({ model: "tiny", split: "test", photos: 1, searches: { length: 3 } });
  for (const [index, name] of ["greedy", "beam 3", "beam 5"].entries()) {
    const { perPhoto: _, ...expected } = scoreCaptions({
      candidates: new Map([["two", photo[name]]]),
      references: new Map([["two", photo.references]]),
    });
    const found = scores.searches[index];
    expect(found).toMatchObject(expected);
    const words = photo[name].split(" ");
    expect(found).toMatchObject({ captions: 1, words: new Set(words).size, meanLength: words.length, inTraining: 0 });
    expect(found.intervals.cider).toEqual([expected.cider, expected.cider]); // of one photo there is one corpus to draw
  }
  expect(stdout).toMatch(
    /^tiny [0-9a-f]{12}, 1 test photos\n +B1 +B2 +B3 +B4 +ROUGE-L +CIDEr +captions +words +length +repeating +in train\ngreedy +\d/,
  );
});

test("tells which captions are word for word out of the training captions", async () => {
  const places = await prepared();
  await train("evaluate", ...places);
  const { greedy } = JSON.parse(await readFile(join(places[3] ?? "", "evaluate", "captions.jsonl"), "utf8"));
  const tokens = [...tokensOf("one.jpg", [...enoughCaptions, `${greedy} .`]), ...tokensOf("two.jpg")].join("\n");
  const again = await prepared({ tokens });
  await train("evaluate", ...again);
  const { searches } = JSON.parse(await readFile(join(again[3] ?? "", "evaluate", "scores.json"), "utf8"));
  expect(searches[0]).toMatchObject({ search: "greedy", inTraining: 1 });
});

test("takes the features that the stage features made, and gives the same scores", async () => {
  const places = await prepared();
  await train("evaluate", ...places);
  const path = join(places[3] ?? "", "evaluate", "scores.json");
  const scores = await readFile(path, "utf8");
  expect((await train("features", ...places, "--encoder", tinyBundle)).code).toBe(0);
  await rm(join(places[3] ?? "", "evaluate"), { recursive: true });
  await rm(join(places[1] ?? "", "images", "two.jpg")); // which nobody looks at any more
  expect((await train("evaluate", ...places)).code).toBe(0);
  expect(await readFile(path, "utf8")).toBe(scores);
});

test("scores neutral words when asked to", async () => {
  const places = await prepared();
  expect((await train("evaluate", ...places, "--neutral")).code).toBe(0);
  const photo = JSON.parse(await readFile(join(places[3] ?? "", "evaluate", "captions.jsonl"), "utf8"));
  const said = ["greedy", "beam 3", "beam 5"].map((name) => photo[name]).join(" ");
  await train("evaluate", ...places);
  const plain = JSON.parse(await readFile(join(places[3] ?? "", "evaluate", "captions.jsonl"), "utf8"));
  const plainly = ["greedy", "beam 3", "beam 5"].map((name) => plain[name]).join(" ");
  expect(plainly).toMatch(/\b(?:man|woman|boy|girl)\b/); // or nothing was shown
  expect(said).not.toMatch(/\b(?:man|woman|boy|girl)\b/);
});

test("passes over what it has scored, until the bundle or the split is another", async () => {
  const places = await prepared();
  await train("evaluate", ...places);
  expect((await train("evaluate", ...places)).stderr).toMatch(/^evaluate: up to date in /);
  expect((await train("evaluate", ...places, "--split", "train")).stdout).toContain("1 train photos");
});

test("says which split has no photos, and where there is nothing prepared", async () => {
  const places = await prepared();
  const { code, stderr } = await train("evaluate", ...places, "--split", "dev");
  expect(code).toBe(1);
  expect(stderr).toContain("expected photos in the dev split, found none");
  const unprepared = await train("evaluate", "--data", places[1] ?? "", "--out", await temporaryFolder());
  expect(unprepared.stderr).toContain("run the stage prepare first");
});
