import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFile,
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { StateFile } from "../../cli/state/state-file.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { isProgramThere } from "../fixtures/programs.ts";
import { captionTiny, commandLine, edgeCaptionIn } from "./run-command.ts";

/** A folder with made photos, `0.jpg` and so on, and their bytes. */
async function folderOf(count: number): Promise<{ folder: string; photos: Uint8Array[] }> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "photos"));
  const photos = await madePhotos(count, { width: 60, height: 40 });
  for (const [index, bytes] of photos.entries()) await writeFile(join(folder, "photos", `${index}.jpg`), bytes);
  return { folder, photos };
}

async function lineCount(path: string): Promise<number> {
  return (await readFile(path, "utf8")).split("\n").length - 1;
}

describe("a photo that has its caption", () => {
  test("is skipped after a move, as a copy, and with a caption inside; a changed one is captioned again", async () => {
    const { folder, photos } = await folderOf(4);
    await copyFile(join(folder, "photos/0.jpg"), join(folder, "photos/again.jpg"));
    const args = ["photos", "--jsonl", "a.jsonl", "--embed"];
    expect((await captionTiny(folder, ...args)).stderr).toContain("4 captioned, 1 copy of another photo\n");

    await rename(join(folder, "photos/1.jpg"), join(folder, "photos/moved.jpg"));
    const { mtime, size } = await stat(join(folder, "photos/2.jpg"));
    const changed = Buffer.concat([photos[3] ?? Buffer.of(), Buffer.alloc(size)]).subarray(0, size); // of the same size and time
    await writeFile(join(folder, "photos/2.jpg"), changed);
    await utimes(join(folder, "photos/2.jpg"), mtime, mtime);
    expect((await captionTiny(folder, ...args)).stderr).toContain("1 captioned, 4 had their caption already\n");
    const paths = (await readFile(join(folder, "a.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).path);
    expect(paths.slice(5).toSorted()).toEqual(["photos/2.jpg", "photos/moved.jpg"]);
  });

  test("is captioned again by another search, and by another model", async () => {
    const { folder } = await folderOf(2);
    await captionTiny(folder, "photos", "--csv", "a.csv");
    expect((await captionTiny(folder, "photos", "--csv", "a.csv", "--beam", "5")).stderr).toContain("2 captioned");
    expect((await edgeCaptionIn(folder, "caption", "photos", "--csv", "a.csv")).stderr).toContain("2 captioned");
    expect(await lineCount(join(folder, "a.csv"))).toBe(3);
  });

  test("--limit captions that many photos per run, --dry-run none", async () => {
    const { folder } = await folderOf(5);
    const args = ["photos", "--jsonl", "a.jsonl", "--limit", "3"];
    expect((await captionTiny(folder, ...args)).stderr).toContain("3 captioned, 2 left for the next run");
    const dry = await captionTiny(folder, ...args, "--dry-run");
    expect(dry.stdout).toBe("photos/3.jpg\nphotos/4.jpg\n");
    expect(dry.stderr).toBe("dry run: 2 to caption, 3 had their caption already\n");
    expect(await lineCount(join(folder, "a.jsonl"))).toBe(3);
    expect((await captionTiny(folder, ...args)).stderr).toContain("2 captioned, 3 had their caption already");
  });
});

describe("the state", () => {
  test("continues after a line that a kill cut off", async () => {
    const { folder } = await folderOf(3);
    await captionTiny(folder, "photos", "--jsonl", "a.jsonl");
    const whole = await readFile(join(folder, "a.jsonl"), "utf8");
    for (const name of [".edge-caption.jsonl", "a.jsonl"]) {
      await writeFile(join(folder, name), (await readFile(join(folder, name), "utf8")).slice(0, -40));
    }
    expect((await captionTiny(folder, "photos", "--jsonl", "a.jsonl")).code).toBe(0);
    expect(await readFile(join(folder, "a.jsonl"), "utf8")).toBe(whole);
  });

  test("is locked by one run at a time", async () => {
    const { folder } = await folderOf(1);
    const state = await StateFile.open(join(folder, ".edge-caption.jsonl"));
    const { pid } = process;
    await writeFile(join(folder, ".edge-caption.jsonl.lock"), JSON.stringify({ pid }));
    const { code, stderr } = await captionTiny(folder, "photos", "--csv", "a.csv");
    await state.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`another run, process ${pid}, is writing there`);
  });

  test.skipIf(!isProgramThere("unshare"))(
    "is whole when the disk is full, which one sentence says (needs unshare)",
    async () => {
      const { folder } = await folderOf(60);
      const script = `mount -t tmpfs -o size=40k none out && "$@"; code=$?; cp out/.edge-caption.jsonl out/a.jsonl . ; exit $code`;
      await mkdir(join(folder, "out"));
      const command = [
        process.execPath,
        ...commandLine,
        "caption",
        "--model-dir",
        tinyBundle,
        "photos",
        "--jsonl",
        "out/a.jsonl",
      ];
      const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
        execFile("unshare", ["-rm", "sh", "-c", script, "sh", ...command], { cwd: folder }, (error, _, stderr) =>
          resolve({ code: error?.code, stderr }),
        );
      });
      expect(code).toBe(1);
      expect(stderr).toMatch(/out\/\S+: the disk is full: make room/);
      for (const name of [".edge-caption.jsonl", "a.jsonl"]) {
        const text = await readFile(join(folder, name), "utf8");
        expect(text.endsWith("\n")).toBe(true);
        for (const line of text.trim().split("\n")) JSON.parse(line);
      }
    },
  );

  test("stays whole when the photos' folder is read-only, which is reported for each photo", async () => {
    const { folder } = await folderOf(3);
    await chmod(join(folder, "photos"), 0o555);
    await chmod(folder, 0o777);
    const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}; // rights do not stop root
    const command = [...commandLine, "caption", "--model-dir", tinyBundle, "photos", "--txt", "--state", "state.jsonl"];
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile(process.execPath, command, { cwd: folder, ...asNobody }, (error, _, stderr) =>
        resolve({ code: error?.code, stderr }),
      );
    });
    expect(code).toBe(1);
    expect(stderr.match(/^photos\/\d\.jpg: .*\/photos\/\d\.txt: permission denied$/gm)).toHaveLength(3);
    expect(await lineCount(join(folder, "state.jsonl"))).toBeGreaterThan(3);
    expect(await readdir(folder)).not.toContain("state.jsonl.lock");
  });
});

test("Ctrl-C lets photos in flight end, writes the table and exits with 130; the next run continues", async () => {
  const { folder } = await folderOf(200);
  const args = [...commandLine, "caption", "--model-dir", tinyBundle, "photos", "--csv", "a.csv", "--txt"];
  const run = spawn(process.execPath, args, { cwd: folder, stdio: "ignore" });
  const exited = once(run, "exit");
  while ((await readdir(join(folder, "photos"))).length < 210) await setTimeout(2);
  run.kill("SIGINT");
  expect(await exited).toEqual([130, null]);
  const written = (await lineCount(join(folder, "a.csv"))) - 1;
  expect(written).toBeLessThan(200);
  expect((await readdir(join(folder, "photos"))).filter((name) => name.endsWith(".txt"))).toHaveLength(written);
  const { stderr } = await captionTiny(folder, "photos", "--csv", "a.csv", "--txt");
  expect(stderr).toContain(`${200 - written} captioned, ${written} had their caption already`);
});

test("a state that is no longer JSON is reported by name, and not written to", async () => {
  const { folder } = await folderOf(1);
  await captionTiny(folder, "photos", "--csv", "a.csv");
  await appendFile(join(folder, ".edge-caption.jsonl"), "garbage\n");
  const { code, stderr } = await captionTiny(folder, "photos", "--csv", "a.csv");
  expect(code).toBe(1);
  expect(stderr).toMatch(/\.edge-caption\.jsonl, line \d+: expected JSON/);
});

test("status reports a folder or a state that is not there", async () => {
  const folder = await temporaryFolder();
  const missing = await edgeCaptionIn(folder, "status", "nothing");
  expect(missing).toMatchObject({ code: 1, stdout: "", stderr: "nothing: there is no such file or folder\n" });
  const { code, stdout } = await edgeCaptionIn(folder, "status");
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `0 of 0 photos captioned (0 %)\n  by ${join(folder, ".edge-caption.jsonl")}, which is not there\n`,
  });
});
