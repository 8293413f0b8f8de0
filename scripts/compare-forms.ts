import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { defaultModelDir, openBundle } from "../gpu-service/bundle.ts";
import { decodeImage } from "../gpu-service/decode-image.ts";
import { startEngineProcess } from "../gpu-service/engine-process.ts";
import { cosine, meanOf } from "../gpu-service/vectors.ts";
import { defaultMaxPixels } from "../shared/contract.ts";

/** `npm run compare:forms`: what it changes for a model that photos come in another size or encoding. */
const program = new Command("npm run compare:forms --")
  .description("Compares the features and captions of photos that stand in two folders under the same names.")
  .argument("<folder>")
  .argument("<other>")
  .option("--model-dir <folder>", "the model bundle", defaultModelDir)
  .option("--direct", "without the form that the encoder learnt from, where the bundle names one", false)
  .parse();
const [folder = "", other = ""] = program.args;
const { modelDir, direct } = program.opts<{ modelDir: string; direct: boolean }>();

const { manifest, vocabulary } = await openBundle(modelDir);
const { through: _, ...directly } = manifest.preprocessing;
const preprocessing = direct ? directly : manifest.preprocessing;
const theirs = new Set(await readdir(other));
const names = (await readdir(folder)).filter((name) => theirs.has(name));
if (names.length === 0) program.error(`error: ${folder} and ${other} have no file of one name in common`);
const engine = await startEngineProcess(modelDir, "auto");
const sides = [await captionAll(folder), await captionAll(other)] as const;
await engine.close();

const middle = meanOf(sides.flatMap((side) => side.map(({ features }) => features)));
const cosines = names
  .map((_, index) => cosine(featuresAt(0, index), featuresAt(1, index), middle))
  .sort((a, b) => a - b);
const alike = names.filter((_, index) => sides[0][index]?.caption === sides[1][index]?.caption).length;
const mean = cosines.reduce((sum, value) => sum + value, 0) / names.length;
console.log(
  `${names.length} photos: cosine of the features, their mean taken off, ${mean.toFixed(3)}, at worst ${cosines[0]?.toFixed(3)}; ` +
    `${alike} captions alike (beam 3)`,
);

interface Captioned {
  features: Float32Array;
  caption: string;
}

async function captionAll(place: string): Promise<Captioned[]> {
  const captioned: Captioned[] = [];
  for (const name of names) {
    const bytes = await readFile(join(place, name));
    const { pixels } = await decodeImage(bytes, { preprocessing, maxPixels: defaultMaxPixels });
    const features = await engine.encode(pixels, 1);
    const [found] = await engine.search(features, [{ beam: 3, candidates: 1 }]);
    captioned.push({ features, caption: vocabulary.decode(found?.[0]?.words ?? []) });
  }
  return captioned;
}

function featuresAt(side: 0 | 1, index: number): Float32Array {
  return sides[side][index]?.features ?? new Float32Array();
}
