import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chown, copyFile, link, mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { captionTiny } from "../cli/run-command.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { isProgramThere } from "../fixtures/programs.ts";
import { photoPath } from "../fixtures/real-photos.ts";

const isRoot = process.getuid?.() === 0;
/** To the nanosecond, as `touch` sets it. */
const moment = "2021-03-04 05:06:07.123456789";
const momentNs = 1_614_834_367_123_456_789n;

const programs = ["setfattr", "getfattr", "setfacl", "getfacl"];
const hasAttributes = programs.every(isProgramThere);

function inUtc(command: string, ...args: string[]): string {
  return execFileSync(command, args, { env: { ...process.env, TZ: "UTC" }, encoding: "utf8" });
}

/** A folder with two photos with all that a file may have, one of them under two names. */
async function markedPhotos(): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, photo] of [
    ["a.jpg", "coffee"],
    ["b.jpg", "rocket"],
  ] as const) {
    const file = join(folder, name);
    await copyFile(photoPath(photo), file);
    inUtc("chmod", "640", file);
    if (isRoot) await chown(file, 1234, 2345);
    inUtc("setfattr", "-n", "user.xdg.tags", "-v", "holiday", file);
    inUtc("setfacl", "-m", "u:33:r", file);
    inUtc("touch", "-d", moment, file);
  }
  await link(join(folder, "b.jpg"), join(folder, "c.jpg"));
  return folder;
}

async function marksOf(file: string): Promise<object> {
  const { uid, gid, mode, nlink, mtimeNs } = await stat(file, { bigint: true });
  const [attributes, rights] = [inUtc("getfattr", "-d", "--absolute-names", file), inUtc("getfacl", "-pc", file)];
  return { uid, gid, mode, nlink, mtimeNs, attributes, rights };
}

describe.skipIf(!hasAttributes)(`a captioned photo keeps what it has (needs ${programs.join(", ")})`, () => {
  test("owner, rights, attributes, times and links", async () => {
    const folder = await markedPhotos();
    const names = ["a.jpg", "b.jpg", "c.jpg"];
    const before = await Promise.all(names.map((name) => marksOf(join(folder, name))));
    const { code, stderr } = await captionTiny(folder, ".", "--embed");
    expect(code, stderr).toBe(0);
    expect(await Promise.all(names.map((name) => marksOf(join(folder, name))))).toEqual(before);
    expect(before).toMatchObject([{ mtimeNs: momentNs, nlink: 1n }, { nlink: 2n }, { nlink: 2n }]);
    for (const name of names) expect(await readFile(join(folder, name), "latin1")).toContain("photoshop:CaptionWriter");
    expect(await readFile(join(folder, "c.jpg"))).toEqual(await readFile(join(folder, "b.jpg")));
    expect((await readdir(folder)).toSorted()).toEqual([".edge-caption.jsonl", ...names]);
    expect(stderr).not.toContain("could not keep");
  });

  test("are kept even without a program that copies attributes; without touch, the loss is reported once", async () => {
    const folder = await markedPhotos();
    const before = await marksOf(join(folder, "a.jpg"));
    const bin = await temporaryFolder();
    for (const name of ["perl", "env"]) await symlink(inUtc("sh", "-c", `command -v ${name}`).trim(), join(bin, name));
    vi.stubEnv("PATH", bin);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { code, stderr } = await captionTiny(folder, ".", "--embed");
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/\n2 photos could not keep: times below a microsecond\n/);
    vi.unstubAllEnvs();
    const after = await marksOf(join(folder, "a.jpg"));
    expect({ ...after, mtimeNs: 0 }).toEqual({ ...before, mtimeNs: 0 });
    const { mtimeNs } = await stat(join(folder, "a.jpg"), { bigint: true });
    expect(mtimeNs / 1_000_000n).toBe(momentNs / 1_000_000n);
  });
});

describe("a photo that a killed run has half written", () => {
  /** What such a run leaves: half a photo, the whole one, and the journal that says so. */
  async function halfWritten({ inodeOf = "a.jpg", journalLength = 1000 } = {}) {
    const folder = await temporaryFolder();
    await copyFile(photoPath("coffee"), join(folder, "a.jpg"));
    await writeFile(join(folder, "other"), "");
    const whole = await readFile(photoPath("rocket"));
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    const copy = `.edge-caption-${pid}-7.tmp.jpg`;
    await writeFile(join(folder, copy), whole);
    const { ino, dev } = await stat(join(folder, inodeOf), { bigint: true });
    const sha256 = createHash("sha256").update(whole).digest("hex");
    const journal = { file: "a.jpg", copy, sha256, inode: String(ino), device: String(dev) };
    await writeFile(join(folder, `.edge-caption-${pid}-7.journal`), JSON.stringify(journal).slice(0, journalLength));
    await truncate(join(folder, "a.jpg"), 1000);
    return { folder, whole, ino };
  }

  test("is whole again before the next run reads it", async () => {
    const { folder, whole, ino } = await halfWritten();
    const { code, stderr } = await captionTiny(folder, ".", "--txt");
    expect(code, stderr).toBe(0);
    expect(await readFile(join(folder, "a.jpg"))).toEqual(whole);
    expect((await stat(join(folder, "a.jpg"), { bigint: true })).ino).toBe(ino);
    expect((await readdir(folder)).toSorted()).toEqual([".edge-caption.jsonl", "a.jpg", "a.txt", "other"]);
  });

  test("is left alone if the journal is about another file, such as one that came with the photos", async () => {
    const { folder, whole } = await halfWritten({ inodeOf: "other" });
    await mkdir(join(folder, ".edge-caption-1-1.tmp")); // a folder of such a name ends nothing
    await captionTiny(folder, ".", "--txt");
    expect(await readFile(join(folder, "a.jpg"))).not.toEqual(whole);
    expect((await readdir(folder)).filter((name) => name.endsWith(".journal"))).toHaveLength(1);
  });

  test.each([0, 40])(
    "was not begun where the journal ends after %i bytes, and leaves nothing",
    async (journalLength) => {
      const { folder, whole } = await halfWritten({ journalLength });
      await captionTiny(folder, ".", "--txt");
      expect(await readFile(join(folder, "a.jpg"))).not.toEqual(whole);
      expect((await readdir(folder)).filter((name) => name.startsWith(".edge-caption-"))).toEqual([]);
    },
  );
});
