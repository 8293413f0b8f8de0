import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { readNativeSetup } from "../../captioner/engines/native-setup.ts";
import { repository } from "../../scripts/repository.ts";
import { readFlickr8k } from "../../training/prepare/read-flickr8k.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";
import { train, trainCommand } from "../training/run-prepare.ts";

const counts = { train: 240, dev: 60, test: 0 };

/** Some of Flickr8k's photos, where they are, as a JSONL file. */
async function somePhotos(): Promise<string> {
  const { photos, folder } = await readFlickr8k(`${researchData}flickr8k`);
  const left = { ...counts };
  const chosen = photos.filter(({ splits: [split] }) => split !== undefined && left[split]-- > 0);
  const lines = chosen.map(({ file, captions, splits: [split] }) => ({ image: join(folder, file), captions, split }));
  const path = join(await temporaryFolder(), "some.jsonl");
  await writeFile(path, lines.map((line) => JSON.stringify(line)).join("\n"));
  return path;
}

async function killAfterEpoch(epoch: number, args: readonly string[]): Promise<void> {
  const run = spawn(process.execPath, [...trainCommand, ...args], {
    cwd: repository,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(run, "exit");
  for await (const line of createInterface(run.stdout)) if (line.startsWith(`epoch ${epoch} of`)) break;
  run.kill("SIGKILL");
  expect(await exited).toEqual([null, "SIGKILL"]);
}

describe.skipIf(readNativeSetup() === undefined || !isResearchDataThere)(
  "training on real photos (needs the native engine and ../shared)",
  () => {
    test("learns to caption them, and after a kill ends at the same dev scores", async () => {
      const data = await somePhotos();
      const [out, killed] = [await temporaryFolder(), await temporaryFolder()];
      const flags = ["--min-count", "5", "--epochs", "8", "--batch", "16"];
      for (const stage of ["prepare", "features"]) {
        expect(await train(stage, "--data", data, "--out", out, ...flags)).toMatchObject({ code: 0 });
      }
      await cp(out, killed, { recursive: true });
      await killAfterEpoch(3, ["--data", data, "--out", killed, ...flags]);
      const metrics = [];
      for (const [folder, ...stage] of [[out], [killed, "fit"]] as const) {
        expect(await train(...stage, "--data", data, "--out", folder, ...flags)).toMatchObject({ code: 0 });
        const lines = (await readFile(join(folder, "fit", "metrics.jsonl"), "utf8")).trim().split("\n");
        metrics.push(lines.map((line) => JSON.parse(line)));
      }
      const [undisturbed = [], resumed = []] = metrics;
      expect(undisturbed).toHaveLength(8);
      for (const [index, epoch] of undisturbed.entries()) {
        for (const search of ["greedy", "beam 3"]) {
          const [expected, found] = [epoch.dev[search], resumed[index]?.dev[search]];
          for (const name of Object.keys(expected)) expect(Math.abs(found[name] - expected[name])).toBeLessThan(1e-3);
        }
      }
      expect(undisturbed[7].loss).toBeLessThan(0.8 * undisturbed[0].loss);
      expect(undisturbed[7].dev["beam 3"].bleu1).toBeGreaterThan(0.3);
      expect(undisturbed[7].dev["beam 3"].cider).toBeGreaterThan(0.15);
    }, 600_000);
  },
);
