import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { repository } from "../../scripts/repository.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";
import { enoughCaptions, makeJsonl } from "../training/made-dataset.ts";
import { runPrepare, trainCommand } from "../training/run-prepare.ts";

const kills = 5;
const longestDelayMs = 600; // of which most is the disk confirming
const outputs = ["vocabulary.json", "captions.jsonl", "summary.json", "settings.json"];

function readOutputs(out: string): Promise<string[]> {
  return Promise.all(outputs.map((name) => readFile(join(out, "prepare", name), "utf8")));
}

test("a kill leaves each file old or new, and the next run gives the bytes of an undisturbed one", async () => {
  const photos = Array.from({ length: 100 }, (_, index) => `${index}.png`);
  const captions = Array.from({ length: 40 }, () => enoughCaptions).flat(); // enough that writing takes a while
  const data = await makeJsonl(
    photos.map((image) => ({ image, captions })),
    { photos },
  );
  const before = await readOutputs((await runPrepare({ data, minCount: 1 })).out);
  const after = await readOutputs((await runPrepare({ data, minCount: 3 })).out);
  const random = seededRandom(5);

  for (let round = 0; round < kills; round++) {
    const { out } = await runPrepare({ data, minCount: 1 });
    await killInPrepare({ data, out, delayMs: random() * longestDelayMs });
    for (const [index, contents] of (await readOutputs(out)).entries()) {
      expect([before[index], after[index]]).toContain(contents);
    }
    await runPrepare({ data, out, minCount: 3 });
    expect(await readOutputs(out)).toEqual(after);
  }
}, 120_000);

/** Kills a run a while after it has begun to write. */
async function killInPrepare({ data, out, delayMs }: { data: string; out: string; delayMs: number }): Promise<void> {
  const args = ["--data", data, "--out", out, "--min-count", "3"];
  const run = spawn(process.execPath, [...trainCommand, ...args], { cwd: repository, stdio: "ignore" });
  const exited = once(run, "exit");
  const partial = join(out, "prepare", "vocabulary.json.partial");
  while (!existsSync(partial) && run.exitCode === null) await setTimeout(1);
  await setTimeout(delayMs);
  run.kill("SIGKILL");
  await exited;
}

test("a run into an empty folder that is killed leaves nothing that the next takes for done", async () => {
  const data = await makeJsonl([{ image: "a.png", captions: enoughCaptions }], { photos: ["a.png"] });
  const out = await temporaryFolder();
  await killInPrepare({ data, out, delayMs: 0 });
  const again = await runPrepare({ data, out });
  expect(await readOutputs(out)).toEqual(await readOutputs((await runPrepare({ data })).out));
  expect(again.out).toBe(out);
});
