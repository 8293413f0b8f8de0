import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { File } from "h5wasm/node";
import { describe, expect, test } from "vitest";
import { readKerasWeights } from "../../../training/keras/read-weights.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { madeTensor, type SavedLayer, writeKerasFile } from "../../fixtures/keras-weights.ts";

const kernel = { name: "kernel", shape: [3, 3, 3, 8] };
const statistics = ["beta", "moving_mean", "moving_variance"].map((name) => ({ name, shape: [8] }));

/** The beginning of a network. */
const network: SavedLayer[] = [
  { name: "conv2d", weights: [kernel] },
  { name: "batch_normalization", weights: statistics },
  { name: "conv2d_1", weights: [{ name: "kernel", shape: [1, 1, 8, 4] }] },
];
const activation: SavedLayer = { name: "activation", weights: [] };
const classifier: SavedLayer = {
  name: "predictions",
  weights: [
    { name: "kernel", shape: [4, 10] },
    { name: "bias", shape: [10] },
  ],
};

async function save(...args: Parameters<typeof writeKerasFile> extends [string, ...infer Rest] ? Rest : never) {
  const path = join(await temporaryFolder(), "weights.h5");
  await writeKerasFile(path, ...args);
  return path;
}

/** Changes one layer, by its name. */
function changed(name: string, change: Partial<SavedLayer>): SavedLayer[] {
  return network.map((layer) => (layer.name === name ? { ...layer, ...change } : layer));
}

describe("Keras' weights", () => {
  test("are read in the network's order, float32, each with its shape", async () => {
    const weights = await readKerasWeights(await save([activation, ...network]), network);
    expect(weights.map(({ layer, name, shape }) => `${layer}/${name} ${shape}`)).toEqual([
      "conv2d/kernel 3,3,3,8",
      "batch_normalization/beta 8",
      "batch_normalization/moving_mean 8",
      "batch_normalization/moving_variance 8",
      "conv2d_1/kernel 1,1,8,4",
    ]);
    expect(weights[0]?.values).toEqual(madeTensor("conv2d/kernel", kernel.shape));
  });

  test("are the same from a file of a whole model, with a classifier, and under names with other numbers", async () => {
    const renamed = network.map((layer) => ({
      ...layer,
      savedAs: `${layer.name}_94`,
    }));
    const files = [
      await save(network, { isWholeModel: true }),
      await save([...network, activation, classifier]),
      await save(renamed),
    ];
    const expected = await readKerasWeights(await save(network), network);
    for (const file of files) expect(await readKerasWeights(file, network)).toEqual(expected);
  });

  test("may stand in any order inside a layer", async () => {
    const turned = changed("batch_normalization", { weights: statistics.toReversed() });
    expect(await readKerasWeights(await save(turned), network)).toEqual(
      await readKerasWeights(await save(network), network),
    );
  });
});

describe("a file is refused by name", () => {
  test.each<[string, readonly SavedLayer[], string[], string]>([
    [
      "that misses a tensor",
      network,
      ["batch_normalization/moving_mean"],
      "layer batch_normalization: its tensor moving_mean is missing",
    ],
    [
      "whose layer has no such tensor",
      changed("batch_normalization", { weights: statistics.slice(0, 2) }),
      [],
      "layer batch_normalization: its tensor moving_variance is missing",
    ],
    [
      "with a tensor too many",
      changed("batch_normalization", { weights: [{ name: "gamma", shape: [8] }, ...statistics] }),
      [],
      "layer batch_normalization: expected the tensors beta, moving_mean, moving_variance, found gamma, too",
    ],
    [
      "with a tensor of another shape",
      changed("conv2d_1", { savedAs: "conv2d_95", weights: [{ name: "kernel", shape: [8, 4] }] }),
      [],
      "expected tensor conv2d_95 (in the place of conv2d_1)/kernel of shape [1, 1, 8, 4], found [8, 4]",
    ],
    [
      "of a network with fewer layers",
      network.slice(0, 2),
      [],
      "expected 3 layers with weights, or 4 with the classifier, found 2: it is of another network",
    ],
    [
      "of a network with more layers",
      [...network, classifier, { ...classifier, name: "more" }],
      [],
      "expected 3 layers with weights, or 4 with the classifier, found 5: it is of another network",
    ],
    [
      "without any layer",
      [],
      [],
      "expected 3 layers with weights, or 4 with the classifier, found 0: it is of another network",
    ],
  ])("%s", async (_, layers, without, sentence) => {
    const path = await save(layers, { without });
    const error = await readKerasWeights(path, network).catch((reason: Error) => reason);
    expect(String(error)).toBe(`Error: ${path}: ${sentence}`);
  });

  test.each([
    ["empty", () => Buffer.alloc(0), "expected an HDF5 file, found an empty one"],
    [
      "a web page",
      () => Buffer.from("<!doctype html>"),
      'expected an HDF5 file, found one that begins with "<!doctyp"',
    ],
    [
      "cut off",
      (whole: Buffer) => whole.subarray(0, whole.length >> 1),
      "expected a whole HDF5 file, found a damaged one (truncated file:",
    ],
    [
      "cut off in its first bytes",
      (whole: Buffer) => whole.subarray(0, 20),
      "expected a whole HDF5 file, found a damaged one (",
    ],
  ])("when it is %s", async (_, spoil, sentence) => {
    const path = await save(network);
    await writeFile(path, spoil(await readFile(path)));
    await expect(readKerasWeights(path, network)).rejects.toThrow(`${path}: ${sentence}`);
  });

  test("when it is HDF5 and not Keras', with a hint where it is Keras 3's newer format", async () => {
    const path = await save(network);
    new File(path, "w").close();
    await expect(readKerasWeights(path, network)).rejects.toThrow(
      `${path}: expected a Keras model or its weights with an attribute layer_names, found none`,
    );
    const newer = new File(path, "w");
    newer.create_group("layers");
    newer.close();
    await expect(readKerasWeights(path, network)).rejects.toThrow(
      "found none: save it in the older format, as model.h5",
    );
  });

  test("when it is not there, or a folder", async () => {
    const folder = await temporaryFolder();
    await expect(readKerasWeights(join(folder, "none.h5"), network)).rejects.toThrow(
      `${join(folder, "none.h5")}: there is no such file or folder`,
    );
    await expect(readKerasWeights(folder, network)).rejects.toThrow(`${folder}: it is a folder, expected a file`);
  });

  test("with numbers that are none", async () => {
    const path = join(await temporaryFolder(), "weights.h5");
    const file = new File(path, "w");
    file.create_attribute("layer_names", ["conv2d"], [1], "S6");
    const group = file.create_group("conv2d");
    group.create_attribute("weight_names", ["kernel:0"], [1], "S8");
    group.create_dataset({ name: "kernel:0", data: new Float32Array(216).fill(Number.NaN), shape: kernel.shape });
    file.close();
    await expect(readKerasWeights(path, network.slice(0, 1))).rejects.toThrow(
      `${path}: tensor conv2d/kernel holds a number that is not finite`,
    );
  });
});
