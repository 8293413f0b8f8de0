import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, link, mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { captionTiny, commandLine } from "../cli/run-command.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madeImage, madePhotos } from "../fixtures/made-images.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

const photoCount = 420;
const kills = 20;
const outputs = ["--jsonl", "a.jsonl", "--csv", "a.csv", "--html", "a.html", "--txt", "--xmp", "--embed"];

/** Of the photos, those that have a second name, so that they are written in place. */
const linkedCount = 60;

/** Two folders with the same photos, some in formats without a content id, some of two names, one broken. */
async function twoFolders(): Promise<[string, string]> {
  const [one, other] = [await temporaryFolder(), await temporaryFolder()];
  await mkdir(join(one, "photos"));
  for (const [index, bytes] of (await madePhotos(photoCount, { width: 60, height: 40 })).entries()) {
    await writeFile(join(one, `photos/${index}.jpg`), bytes);
  }
  for (const format of ["png", "webp", "tiff", "gif", "avif"] as const) {
    await writeFile(join(one, `photos/${format}.${format}`), await madeImage(format));
  }
  await writeFile(join(one, "photos/broken.jpg"), "no photo");
  for (const name of await readdir(join(one, "photos"))) await utimes(join(one, "photos", name), 1_000_000, 1_000_000);
  await cp(one, other, { recursive: true, preserveTimestamps: true });
  for (const folder of [one, other]) {
    for (let index = 0; index < linkedCount; index++) {
      await link(join(folder, `photos/${index}.jpg`), join(folder, `photos/${index}-again.jpg`));
    }
  }
  return [one, other];
}

/** Everything that a run leaves but its state, which holds times, with the photos' own times. */
async function leftIn(folder: string): Promise<Map<string, [bytes: string, mtimeMs: number]>> {
  const left = new Map<string, [string, number]>();
  for (const name of await readdir(folder, { recursive: true })) {
    const place = join(folder, name);
    const stats = await stat(place);
    if (!stats.isFile() || name.startsWith(".edge-caption.jsonl")) continue;
    const isPhoto = /\.(jpg|png|webp|tiff|gif|avif)$/.test(name);
    left.set(name, [(await readFile(place)).toString("base64"), isPhoto ? stats.mtimeMs : 0]);
  }
  return left;
}

test(`a run that is killed ${kills} times at random moments leaves what an undisturbed one leaves, byte for byte`, async () => {
  const [undisturbed, folder] = await twoFolders();
  expect((await captionTiny(undisturbed, "photos", ...outputs)).code).toBe(1); // of the broken one
  const random = seededRandom(11);
  const captioned = async () => {
    const text = await readFile(join(folder, ".edge-caption.jsonl"), "utf8").catch(() => "");
    return text.split('{"kind":"captioned","result"').length - 1;
  };
  for (let kill = 0; kill < kills; kill++) {
    const args = [...commandLine, "caption", "--model-dir", tinyBundle, "photos", ...outputs];
    const run = spawn(process.execPath, args, { cwd: folder, stdio: "ignore" });
    const exited = once(run, "exit");
    const goal = (photoCount * kill) / kills;
    while (run.exitCode === null && (await captioned()) <= goal) await setTimeout(2);
    await Promise.race([setTimeout(150 * random()), exited]);
    run.kill("SIGKILL");
    expect(await exited, `kill ${kill}`).toEqual([null, "SIGKILL"]);
  }
  expect((await captionTiny(folder, "photos", ...outputs)).code).toBe(1);
  const [left, expected] = [await leftIn(folder), await leftIn(undisturbed)];
  expect([...left.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
  const others = [...expected].filter(([name, file]) => JSON.stringify(left.get(name)) !== JSON.stringify(file));
  expect(others.map(([name, file]) => [name, file, left.get(name)])).toEqual([]);
}, 300_000);
