import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type CaptionScores, scoreCaptions } from "../../../training/score/score-captions.ts";
import cases from "../../fixtures/caption-score-cases.json" with { type: "json" };
import recorded from "../../fixtures/caption-scores.json" with { type: "json" };
import { isResearchDataThere, researchData } from "../../fixtures/research-data.ts";

/** The accuracy that the recorded scores promise. */
const tolerance = 1e-4;
const scoreNames = ["bleu1", "bleu2", "bleu3", "bleu4", "rougeL", "cider"] as const;

function expectAgreement(ours: CaptionScores | undefined, theirs: CaptionScores): void {
  for (const name of scoreNames) expect(Math.abs((ours?.[name] ?? NaN) - theirs[name]), name).toBeLessThan(tolerance);
}

describe("agreement with pycocoevalcap on sentences written for the test", () => {
  const ours = scoreCaptions({
    candidates: new Map(cases.map(({ photo, candidate }) => [photo, candidate])),
    references: new Map(cases.map(({ photo, references }) => [photo, references])),
  });

  test("of the corpus", () => {
    expectAgreement(ours, recorded.cases);
  });

  test.each(Object.entries(recorded.cases.perPhoto))("of the photo with %s", (photo, theirs) => {
    expectAgreement(ours.perPhoto.get(photo), theirs);
  });
});

function readTestSplit() {
  const captions = new Map<string, string[]>();
  for (const line of readLines("Flickr8k.token.txt")) {
    const [name = "", caption = ""] = line.split("\t");
    const photo = name.replace(/#\d$/, "");
    captions.set(photo, [...(captions.get(photo) ?? []), caption]);
  }
  return readLines("Flickr_8k.testImages.txt").map((photo) => {
    const [first = "", ...others] = captions.get(photo) ?? [];
    return { photo, first, others };
  });
}

function readLines(name: string): string[] {
  return readFileSync(`${researchData}flickr8k/${name}`, "utf8").trimEnd().split("\n");
}

function digestOf(candidates: ReadonlyMap<string, string>): string {
  const lines = [...candidates].map(([photo, caption]) => `${photo}\t${caption}\n`);
  return createHash("sha256").update(lines.join("")).digest("hex");
}

describe.skipIf(!isResearchDataThere)("agreement with pycocoevalcap on Flickr8k's test split (needs ../shared)", () => {
  test("of each photo's first reference against its other four", () => {
    const photos = readTestSplit();
    const candidates = new Map(photos.map(({ photo, first }) => [photo, first]));
    const references = new Map(photos.map(({ photo, others }) => [photo, others]));
    const theirs = recorded.flickr8kTest.firstReferenceAgainstTheOthers;
    expect(digestOf(candidates)).toBe(theirs.digest);
    expectAgreement(scoreCaptions({ candidates, references }), theirs);
  });

  test("of the next photo's first reference against all five", () => {
    const photos = readTestSplit();
    const next = [...photos.slice(1), ...photos.slice(0, 1)];
    const candidates = new Map(photos.map(({ photo }, index) => [photo, next[index]?.first ?? ""]));
    const references = new Map(photos.map(({ photo, first, others }) => [photo, [first, ...others]]));
    const theirs = recorded.flickr8kTest.firstReferenceOfNextPhoto;
    expect(digestOf(candidates)).toBe(theirs.digest);
    expectAgreement(scoreCaptions({ candidates, references }), theirs);
  });
});
