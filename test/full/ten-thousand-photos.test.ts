import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { captionTiny, commandLine } from "../cli/run-command.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";

const count = 10_000;

test("ten thousand photos are captioned in one run, in memory that does not grow, and passed over in seconds", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "photos"));
  const [photo = new Uint8Array()] = await madePhotos(1, { width: 60, height: 40 });
  for (let index = 0; index < count; index++) {
    // a photo each: the bytes behind the picture count, too
    await writeFile(join(folder, `photos/${index}.jpg`), Buffer.concat([photo, Buffer.from(`${index}`)]));
  }
  const args = [...commandLine, "caption", "--model-dir", tinyBundle, "photos", "--jsonl", "a.jsonl", "--csv", "a.csv"];
  const run = spawn(process.execPath, args, { cwd: folder, stdio: "ignore" });
  const exited = once(run, "exit");
  const residentMiB: number[] = [];
  while (run.exitCode === null) {
    const status = await readFile(`/proc/${run.pid}/status`, "utf8").catch(() => "");
    const kib = /VmRSS:\s+(\d+)/.exec(status)?.[1];
    if (kib !== undefined) residentMiB.push(Number(kib) / 1024);
    await Promise.race([setTimeout(200), exited]);
  }
  expect(await exited).toEqual([0, null]);
  const half = residentMiB.slice(residentMiB.length / 2);
  const quarter = residentMiB.slice(residentMiB.length / 4, residentMiB.length / 2);
  expect(Math.max(...half)).toBeLessThan(Math.max(...quarter) + 60);

  const begun = Date.now();
  const again = await captionTiny(folder, "photos", "--jsonl", "a.jsonl", "--csv", "a.csv");
  expect(again.stderr).toContain(`${count} had their caption already`);
  expect(Date.now() - begun).toBeLessThan(15_000);
  expect((await readFile(join(folder, "a.jsonl"), "utf8")).split("\n")).toHaveLength(count + 1);
}, 300_000);
