import { symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readCheckpoint, writeCheckpoint } from "../../../training/fit/checkpoint.ts";
import { decodeSafetensors, encodeSafetensors } from "../../../training/fit/safetensors.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { tinySpec, tinyValues } from "./tiny-merge-model.ts";

const dependencies = { settings: { seed: 1 }, inputs: { captions: "a".repeat(64) } };
const metrics = [{ epoch: 1, loss: 3.25, learningRate: 1e-3, seconds: 4.5, dev: {}, samples: [] }];
const { "embedding/embeddings": _, ...learnt } = tinyValues(3);
const checkpoint = {
  state: { weights: tinyValues(1), average: tinyValues(2), steps: 12, moments: { first: learnt, second: learnt } },
  best: [tinyValues(4), tinyValues(6)],
  metrics,
};

async function written(): Promise<string> {
  const folder = await temporaryFolder();
  await writeCheckpoint(folder, checkpoint, { spec: tinySpec, dependencies });
  return folder;
}

describe("a checkpoint", () => {
  test("is read back as it was written", async () => {
    expect(await readCheckpoint(await written(), dependencies)).toEqual(checkpoint);
  });

  test("of other settings, or none, is none to go on from", async () => {
    const other = { ...dependencies, settings: { seed: 2 } };
    expect(await readCheckpoint(await written(), other)).toBeUndefined();
    expect(await readCheckpoint(await temporaryFolder(), dependencies)).toBeUndefined();
  });

  test.each<[string, (path: string) => Promise<void>]>([
    ["is cut off", (path) => truncate(path, 2000)],
    ["is empty", (path) => truncate(path, 0)],
    ["is something else", (path) => writeFile(path, "a checkpoint of another program")],
  ])("that %s is named, with what to do", async (_, spoil) => {
    const folder = await written();
    const path = join(folder, "checkpoint.safetensors");
    await spoil(path);
    await expect(readCheckpoint(folder, dependencies)).rejects.toThrow(`${path}: is damaged: delete it to start over`);
  });

  test("stays as it was when the disk is full", async () => {
    const folder = await written();
    await symlink("/dev/full", join(folder, "checkpoint.safetensors.partial"));
    const next = { ...checkpoint, best: [tinyValues(5)] };
    await expect(writeCheckpoint(folder, next, { spec: tinySpec, dependencies })).rejects.toThrow("the disk is full");
    expect(await readCheckpoint(folder, dependencies)).toEqual(checkpoint);
  });
});

test("a safetensors file begins with its header's length, the header in JSON, and values aligned to 8 bytes", () => {
  const tensors = { values: new Map([["a", { shape: [2], data: Float32Array.of(1, -1) }]]), metadata: { made: "now" } };
  const file = Buffer.concat(encodeSafetensors(tensors));
  const length = Number(file.readBigUInt64LE());
  expect(length % 8).toBe(0);
  expect(JSON.parse(file.toString("utf8", 8, 8 + length))).toEqual({
    __metadata__: { made: "now" },
    a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
  });
  expect(file.subarray(8 + length)).toEqual(Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0x80, 0xbf]));
  expect(decodeSafetensors(file)).toEqual(tensors);
});
