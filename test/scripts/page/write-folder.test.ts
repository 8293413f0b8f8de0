import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeFolder } from "../../../scripts/page/write-folder.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";

test("writes what is new or changed, leaves what is as it should be, and removes what is no part of it", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "built"));
  for (const [path, content] of Object.entries({ "same.txt": "same", "changed.txt": "before", "built/old.js": "" })) {
    await writeFile(join(folder, path), content);
    await utimes(join(folder, path), 1, 1);
  }
  const files = { "same.txt": "same", "changed.txt": "after", "built/new.js": "new" };
  await writeFolder(
    folder,
    Object.entries(files).map(([path, content]) => ({ path, content })),
  );
  expect((await readdir(folder, { recursive: true })).sort()).toEqual(["built", ...Object.keys(files)].sort());
  for (const [path, content] of Object.entries(files)) expect(await readFile(join(folder, path), "utf8")).toBe(content);
  expect((await stat(join(folder, "same.txt"))).mtimeMs).toBe(1000);
});

test("lets several writers write at once", async () => {
  const folder = join(await temporaryFolder(), "page");
  const files = Array.from({ length: 20 }, (_, index) => ({ path: `${index}.js`, content: "x".repeat(100_000) }));
  await Promise.all(Array.from({ length: 5 }, () => writeFolder(folder, files)));
  for (const { path, content } of files) expect(await readFile(join(folder, path), "utf8")).toBe(content);
  expect(await readdir(folder)).toHaveLength(20);
});

test("removes nothing behind a link, which is somebody else's", async () => {
  const [folder, other] = [await temporaryFolder(), await temporaryFolder()];
  await writeFile(join(other, "model.bin"), "weights");
  await symlink(other, join(folder, "models"), "dir");
  await writeFolder(folder, [{ path: "main.js", content: "" }]);
  expect(await readdir(other)).toEqual(["model.bin"]);
  expect((await readdir(folder)).sort()).toEqual(["main.js", "models"]);
});
