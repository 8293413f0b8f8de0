import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { expectSpace, inStaging, openCache, publish } from "../../../scripts/setup-native/cache.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";

test("clears away what dead runs left, and nothing of a live one", async () => {
  const { downloads } = await openCache(await temporaryFolder());
  const live = spawn("sleep", ["60"]);
  onTestFinished(() => void live.kill());
  const dead = spawn("true");
  await once(dead, "exit");
  const names = {
    dead: `.partial-${hostname()}-${dead.pid}-aaaaaa`,
    live: `.partial-${hostname()}-${live.pid}-bbbbbb`,
    elsewhere: ".partial-another-host-1-cccccc",
    longElsewhere: ".partial-another-host-1-dddddd",
  };
  for (const name of Object.values(names)) await mkdir(join(downloads, name, "deps"), { recursive: true });
  const longAgo = new Date(Date.now() - 25 * 3600 * 1000);
  await utimes(join(downloads, names.longElsewhere), longAgo, longAgo);
  await writeFile(join(downloads, "kept.whl"), "");
  await openCache(join(downloads, ".."));

  expect((await readdir(downloads)).sort()).toEqual([names.elsewhere, names.live, "kept.whl"].sort());
});

test("leaves nothing of work that fails", async () => {
  const folder = await temporaryFolder();
  const work = inStaging(folder, async (stage) => {
    await writeFile(join(stage, "half"), "");
    throw new Error("no luck");
  });

  await expect(work).rejects.toThrow("no luck");
  expect(await readdir(folder)).toEqual([]);
});

test("gives a name once: the first of two runs keeps it", async () => {
  const folder = await temporaryFolder();
  for (const contents of ["first", "second"])
    await inStaging(folder, async (stage) => {
      await writeFile(join(stage, "contents"), contents);
      await publish(stage, join(folder, "finished"));
    });

  expect(await readFile(join(folder, "finished/contents"), "utf8")).toBe("first");
  expect(await readdir(folder)).toEqual(["finished"]);
});

test("says how much room is missing where", async () => {
  const folder = await temporaryFolder();

  await expect(expectSpace(folder, { bytes: 1e18 })).rejects.toThrow(
    new RegExp(`^expected 1000000000\\.00 GB of free space for ${folder}, found [\\d.]+ [GM]B: make room, or choose`),
  );
  await expect(expectSpace(folder, { bytes: 1 })).resolves.toBeUndefined();
});
