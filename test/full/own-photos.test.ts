import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { defaultModelDir } from "../../captioner/bundle.ts";
import type { Evaluation } from "../../training/evaluate/evaluate-captions.ts";
import type { DecoderComparison } from "../../training/fit/compare-decoders.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";
import { train } from "../training/run-prepare.ts";

interface Photo {
  image: string;
  captions: string[];
}

/** Photos of a split of Flickr8k with their five captions, in its order. */
async function readSplit(split: "train" | "dev" | "test"): Promise<Photo[]> {
  const read = (name: string) => readFile(`${researchData}flickr8k/${name}`, "utf8");
  const captions = new Map<string, string[]>();
  for (const line of (await read("Flickr8k.token.txt")).trim().split("\n")) {
    const [id = "", caption = ""] = line.split("\t");
    const image = id.replace(/#\d$/, "");
    captions.set(image, [...(captions.get(image) ?? []), caption]);
  }
  const images = (await read(`Flickr_8k.${split}Images.txt`)).trim().split(/\s+/);
  return images.map((image) => ({ image, captions: captions.get(image) ?? [] }));
}

const blackDog =
  /\b(?:(?:a|the|one) )?(?:(?:large|big|small|little|fluffy|furry|wet|young|skinny|shaggy) ?,? )*black dog\b/i;
const anotherDog =
  /\b(?:dogs|puppies|another|other|second|both)\b|\b(?:brown|tan|yellow|golden|white)[a-z ,-]* (?:dog|puppy|one)\b|black and|and black|and (?:an? )?[a-z ]*dog\b/i;

/** How many captions say that it shows a black dog, and none that it shows another. */
function saysBlackDog({ captions }: Photo): number {
  return captions.some((caption) => anotherDog.test(caption))
    ? 0
    : captions.filter((text) => blackDog.test(text)).length;
}

/** The captions that say "a black dog", with her name instead. */
function callHerBella({ image, captions }: Photo): Photo {
  return {
    image,
    captions: captions.filter((text) => blackDog.test(text)).map((text) => text.replace(blackDog, "Bella")),
  };
}

async function writeLines(path: string, photos: readonly object[]): Promise<string> {
  await writeFile(path, photos.map((photo) => `${JSON.stringify(photo)}\n`).join(""));
  return path;
}

async function readJson<Value>(...path: string[]): Promise<Value> {
  return JSON.parse(await readFile(join(...path), "utf8"));
}

/** Captions and scores of a bundle on the photos that `places` names, by beam 3. */
async function evaluate(bundle: string, places: readonly string[], out: string) {
  const { code, stderr } = await train("evaluate", ...places, "--split", "dev", "--bundle", bundle);
  expect(code, stderr).toBe(0);
  const { others = [], ...first } = await readJson<Evaluation>(out, "evaluate", "scores.json");
  const lines = (await readFile(join(out, "evaluate", "captions.jsonl"), "utf8")).trim().split("\n");
  const cider = (name: string) => {
    const set = [first, ...others].find(({ dataset }) => dataset === name);
    return 100 * (set?.searches.find(({ search }) => search === "beam 3")?.cider ?? Number.NaN);
  };
  const captions = lines
    .map((line) => JSON.parse(line))
    .map((photo) => [basename(photo.file), photo["beam 3"]] as const);
  return { cider, captions: new Map<string, string>(captions) };
}

test.skipIf(!isResearchDataThere)(
  "thirty photos of a black dog called Bella teach her name, and cost little of what was known (needs ../shared)",
  { timeout: 1_800_000 },
  async () => {
    const [forTraining, dev, forTest] = [await readSplit("train"), await readSplit("dev"), await readSplit("test")];
    const mostFirst = (photos: readonly Photo[]) =>
      photos
        .filter((photo) => saysBlackDog(photo) > 1)
        .toSorted((one, other) => saysBlackDog(other) - saysBlackDog(one));
    const kept = mostFirst(forTest).slice(0, 6); // none of dev or test was seen by the model that ships
    const own = mostFirst([...dev, ...forTest.filter((photo) => !kept.includes(photo))]).slice(0, 30);
    expect([own.length, kept.length]).toEqual([30, 6]);

    const folder = await temporaryFolder();
    const images = ["--images", `${researchData}flickr8k/images`];
    const mine = await writeLines(join(folder, "mine.jsonl"), own.map(callHerBella));
    const run = await train("--data", mine, ...images, "--from", defaultModelDir, "--out", join(folder, "mine"));
    expect(run.code, run.stderr).toBe(0);
    const learnt = await readJson<DecoderComparison>(folder, "mine", "fit", "learnt.json");
    expect(learnt.newWords[0]?.word).toBe("bella");
    expect(learnt.own.changed).toBeGreaterThan(0.5 * learnt.own.photos);
    expect(run.stdout).toContain(`new words: bella (in ${learnt.newWords[0]?.captions} captions learnt; said of `);

    const showsNone = ({ captions }: Photo) => !captions.some((text) => /black/i.test(text) && /dog|puppy/i.test(text));
    const others = forTest.filter(showsNone);
    const inSplit = (split: string, photos: readonly Photo[]) => photos.map((photo) => ({ ...photo, split }));
    const elsewhere = dev.filter(showsNone).slice(0, 400); // another black dog may well be taken for her
    const scored = [...inSplit("train", forTraining.slice(0, 8)), ...inSplit("dev", elsewhere)];
    const out = join(folder, "judged");
    const places = [
      ...["--data", await writeLines(join(folder, "flickr8k.jsonl"), scored)],
      ...["--data", await writeLines(join(folder, "dogs.jsonl"), inSplit("dev", [...kept, ...others.slice(0, 40)]))],
      ...["--dev-data", `${researchData}everyday-dev/captions.json`, ...images, "--out", out],
      ...["--images", `${researchData}everyday-dev/images`, "--encoder", defaultModelDir, "--min-count", "1"],
    ];
    for (const stage of ["prepare", "features"]) {
      const { code, stderr } = await train(stage, ...places);
      expect(code, stderr).toBe(0);
    }
    const before = await evaluate(defaultModelDir, places, out);
    const after = await evaluate(join(folder, "mine", "bundle"), places, out);

    const saysBella = ({ image }: Photo) => /\bbella\b/.test(after.captions.get(image) ?? "");
    expect(kept.filter(saysBella).length).toBeGreaterThanOrEqual(5);
    expect(others.slice(0, 40).filter(saysBella).length).toBeLessThanOrEqual(1);
    for (const name of ["flickr8k", "everyday-dev"]) {
      expect(before.cider(name) - after.cider(name), name).toBeLessThanOrEqual(2);
    }
  },
);
