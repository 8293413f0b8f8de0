import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { defaultModelDir, openBundle } from "../captioner/bundle.ts";
import { startEngineProcess } from "../captioner/engines/engine-process.ts";
import { decodeImage } from "../captioner/images/decode-image.ts";
import { cosine, meanOf } from "../captioner/vectors.ts";
import { defaultMaxPixels } from "../shared/contract.ts";
import { invocationFolder } from "../terminal/command-line.ts";
import { runProgram } from "../terminal/run-program.ts";

const toPath = (path: string) => resolve(invocationFolder(), path);

/** `npm run tool -- compare-forms`: what it changes for a model that photos come in another size or encoding. */
const program = new Command("npm run tool -- compare-forms")
  .description("Compares the features and captions of photos that have the same names in two folders.")
  .argument("<folder>", "photos in one form", toPath)
  .argument("<other>", "the same in another", toPath)
  .option("--model-dir <folder>", "the model bundle", toPath, defaultModelDir)
  .option("--direct", "do not first bring photos to the form that the encoder was trained on", false)
  .exitOverride()
  .action(async (folder: string, other: string, flags: { modelDir: string; direct: boolean }) => {
    const { photos, meanCosine, leastCosine, alike } = await compareForms([folder, other], flags);
    process.stdout.write(
      `${photos} photos: cosine of the features, their mean taken off, ${meanCosine.toFixed(3)}, at worst ${leastCosine.toFixed(3)}; ` +
        `${alike} captions alike (beam 3)\n`,
    );
  });

await runProgram(program);

interface Comparison {
  photos: number;
  /** Mean cosine of the features of a photo's two forms, after the mean over all photos and forms is subtracted. */
  meanCosine: number;
  leastCosine: number;
  /** Photos that get the same caption in both forms. */
  alike: number;
}

interface Captioned {
  /** float32 [featureSize] */
  features: Float32Array;
  caption: string;
}

/** Captions the photos that two folders have under the same names. `direct` leaves the form out that the encoder learnt from. */
async function compareForms(
  [folder, other]: readonly [string, string],
  { modelDir, direct }: { modelDir: string; direct: boolean },
): Promise<Comparison> {
  const { manifest, vocabulary } = await openBundle(modelDir);
  const { through: _, ...directly } = manifest.preprocessing;
  const preprocessing = direct ? directly : manifest.preprocessing;
  const theirs = new Set(await readdir(other));
  const names = (await readdir(folder)).filter((name) => theirs.has(name));
  if (names.length === 0) throw new Error(`expected files of one name in ${folder} and ${other}, found none`);
  const engine = await startEngineProcess(modelDir, "auto");
  const caption = async (path: string): Promise<Captioned> => {
    const { pixels } = await decodeImage(await readFile(path), { preprocessing, maxPixels: defaultMaxPixels });
    const features = await engine.encode(pixels, 1);
    const [found] = await engine.search(features, [{ beam: 3, candidates: 1 }]);
    return { features, caption: vocabulary.decode(found?.[0]?.words ?? []) };
  };
  try {
    const pairs: (readonly [Captioned, Captioned])[] = [];
    for (const name of names) pairs.push([await caption(join(folder, name)), await caption(join(other, name))]);
    return compare(pairs);
  } finally {
    await engine.close();
  }
}

function compare(pairs: readonly (readonly [Captioned, Captioned])[]): Comparison {
  const middle = meanOf(pairs.flatMap((pair) => pair.map(({ features }) => features)));
  const cosines = pairs.map(([one, another]) => cosine(one.features, another.features, middle));
  return {
    photos: pairs.length,
    meanCosine: cosines.reduce((sum, value) => sum + value, 0) / pairs.length,
    leastCosine: Math.min(...cosines),
    alike: pairs.filter(([one, another]) => one.caption === another.caption).length,
  };
}
