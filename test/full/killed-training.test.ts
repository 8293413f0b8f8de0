import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { repository } from "../../scripts/repository.ts";
import { decodeSafetensors } from "../../training/fit/safetensors.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { enoughCaptions, makeJsonl } from "../training/made-dataset.ts";
import { tinyTraining, trainCommand } from "../training/run-prepare.ts";

const photoCount = 150; // more than two visits of features to the disk
const oneThread = { TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "1" };

async function makeData(): Promise<string> {
  const photos = await madePhotos(photoCount, { width: 60, height: 40 });
  const names = photos.map((_, index) => `${index}.jpg`);
  const split = (index: number) => ["train", "train", "train", "dev", "test"][index % 5];
  const data = await makeJsonl(names.map((image, index) => ({ image, captions: enoughCaptions, split: split(index) })));
  for (const [index, bytes] of photos.entries()) await writeFile(join(dirname(data), `${index}.jpg`), bytes);
  return data;
}

/** Runs all stages; kills the run as soon as `until` holds. Returns whether it came so far as to be killed. */
async function trainAll(places: readonly string[], until: () => boolean = () => false): Promise<boolean> {
  const command = [...trainCommand, ...places, "--min-count", "2", "--flips", ...tinyTraining, "--epochs", "4"];
  const run = spawn(process.execPath, command, {
    cwd: repository,
    env: { ...process.env, ...oneThread },
    stdio: "ignore",
  });
  const exited = once(run, "exit");
  while (run.exitCode === null && !until()) await Promise.race([setTimeout(1), exited]);
  run.kill("SIGKILL");
  const [code, signal] = await exited;
  if (signal === null) expect(code).toBe(0);
  return signal === "SIGKILL";
}

/** Every file of a bundle, the record of its settings included. */
async function readBundle(out: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(join(out, "bundle"), { recursive: true })).filter((name) => /\.\w+$/.test(name));
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(out, "bundle", name))] as const)),
  );
}

test("a run that is killed in every stage ends at the very bundle of an undisturbed one", async () => {
  const data = await makeData();
  const [undisturbed, out] = [await temporaryFolder(), await temporaryFolder()];
  await trainAll(["--data", data, "--out", undisturbed]);

  const at = (path: string) => join(out, path);
  const rowsDone = () => {
    const name = existsSync(at("features"))
      ? readdirSync(at("features")).find((file) => file.endsWith(".jsonl"))
      : undefined;
    return name === undefined ? 0 : readFileSync(join(at("features"), name), "utf8").split("\n").length - 2; // header, end
  };
  const epochsDone = () => {
    if (!existsSync(at("fit/checkpoint.safetensors"))) return 0;
    const { metadata } = decodeSafetensors(readFileSync(at("fit/checkpoint.safetensors")));
    return JSON.parse(metadata.metrics ?? "").length;
  };
  const moments: (() => boolean)[] = [
    () => existsSync(at("prepare/captions.jsonl.partial")),
    () => rowsDone() >= 64, // the first photos are on the disk
    () => rowsDone() >= 128,
    () => epochsDone() === 1,
    () => epochsDone() === 3,
    () => existsSync(at("bundle/vocabulary.json.partial")),
  ];
  for (const [index, moment] of moments.entries()) {
    expect(await trainAll(["--data", data, "--out", out], moment), `killed at moment ${index}`).toBe(true);
  }
  await trainAll(["--data", data, "--out", out]);
  expect(await readBundle(out)).toEqual(await readBundle(undisturbed));
  expect((await readFile(at("fit/metrics.jsonl"), "utf8")).trim().split("\n")).toHaveLength(4);
}, 120_000);
