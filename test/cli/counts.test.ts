import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { heicPath, photoPath } from "../fixtures/real-photos.ts";
import { startMadeServer } from "../support/made-server.ts";
import { captionTiny, edgeCaptionIn } from "./run-command.ts";

/** A folder with made photos in `photos/`, `0.jpg` and so on. */
async function folderOf(count: number): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "photos"));
  for (const [index, bytes] of (await madePhotos(count, { width: 60, height: 40 })).entries()) {
    await writeFile(join(folder, "photos", `${index}.jpg`), bytes);
  }
  return folder;
}

async function lastLine(run: Promise<{ stderr: string }>): Promise<string | undefined> {
  return (await run).stderr.trimEnd().split("\n").at(-1);
}

test("distinguishes copies from photos captioned earlier, and captions written now from those there already", async () => {
  const folder = await folderOf(3);
  await copyFile(join(folder, "photos/0.jpg"), join(folder, "photos/copy.jpg"));
  const table = ["photos", "--csv", "a.csv"];
  const dry = await captionTiny(folder, ...table, "--dry-run");
  expect(dry.stderr).toBe("dry run: 3 to caption, 1 copy of another photo\n");
  expect(await lastLine(captionTiny(folder, ...table))).toBe("3 captioned, 1 copy of another photo");
  const { stderr } = await captionTiny(folder, ...table, "--embed");
  expect(stderr).toMatch(
    /\ncaptioning: 4 of 4 photos, \S+ a (second|minute), in \S+ s\n4 captioned earlier and written now\n$/,
  );
  expect(await lastLine(captionTiny(folder, ...table, "--embed"))).toBe("4 had their caption already");
});

test("apply writes and counts only what differs from the model's captions", async () => {
  const folder = join(await folderOf(4), "photos");
  await captionTiny(folder, ".", "--csv", "a.csv");
  const table = await readFile(join(folder, "a.csv"), "utf8");
  await writeFile(join(folder, "a.csv"), table.replace(/^1\.jpg,[^,]*/m, "1.jpg,two dogs"));
  const before = await Promise.all([0, 2, 3].map((index) => readFile(join(folder, `${index}.jpg`))));
  const args = ["apply", "a.csv", "--embed", "--txt"];
  expect(await lastLine(edgeCaptionIn(folder, ...args))).toBe("1 applied, 3 left as they were");
  expect(await Promise.all([0, 2, 3].map((index) => readFile(join(folder, `${index}.jpg`))))).toEqual(before);
  expect((await readdir(folder)).filter((name) => name.endsWith(".txt"))).toEqual(["1.txt"]);
  expect((await readFile(join(folder, "1.jpg"))).includes("two dogs")).toBe(true);
  expect(await lastLine(edgeCaptionIn(folder, ...args))).toBe("4 left as they were");
  expect(await lastLine(edgeCaptionIn(folder, ...args, "--all"))).toBe("3 applied, 1 left as they were");
});

test("a photo that a phone wrote as HEIC and as JPEG does not fail", async () => {
  const folder = await temporaryFolder();
  await copyFile(heicPath, join(folder, "IMG_1.HEIC"));
  await copyFile(photoPath("coffee"), join(folder, "IMG_1.JPG"));
  await writeFile(join(folder, "IMG_1.MOV"), "");
  const { code, stderr } = await captionTiny(folder, ".", "--txt", "--xmp", "--xmp-name", "stem");
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(
      /\n2 captioned; 1 shared the sidecar of the same photo in another format\npassed over: 1 video\n$/,
    ),
  });
  expect((await readdir(folder)).filter((name) => /\.(txt|xmp)$/.test(name))).toEqual(["IMG_1.txt", "IMG_1.xmp"]);
});

const card = {
  ...{ id: "made", revision: "0123456789ab", precision: "float32", description: "", vocabularySize: 9, licence: "MIT" },
  ...{ cleaning: "natural", maxWords: 9, scores: [] },
};

test("a HEIC photo that an endpoint refuses is left to the JPEG beside it, and fails if there is none", async () => {
  const { origin, stop } = await startMadeServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const isUpload = request.method === "POST" && !request.url?.includes("lookup");
    const refusal = body.includes("ftypheic")
      ? { status: 415, code: "unsupported_media_type", detail: "no HEIC here" }
      : { status: 422, code: "invalid_image", detail: "no photo" };
    const reply = request.method === "GET" ? card : { found: {}, missing: [] };
    response.writeHead(isUpload ? refusal.status : 200, {
      "Content-Type": isUpload ? "application/problem+json" : "application/json",
    });
    response.end(JSON.stringify(isUpload ? { type: "about:blank", title: "No", requestId: "1", ...refusal } : reply));
  });
  onTestFinished(stop);
  const folder = await temporaryFolder();
  await copyFile(heicPath, join(folder, "alone.HEIC"));
  await copyFile(heicPath, join(folder, "IMG_1.HEIC"));
  await copyFile(photoPath("coffee"), join(folder, "IMG_1.JPG"));
  const { stderr } = await edgeCaptionIn(folder, "caption", ".", "--endpoint", origin, "--csv", "a.csv");
  expect(stderr).toContain("alone.HEIC: no HEIC here\n");
  expect(stderr.trimEnd().split("\n").at(-1)).toBe("1 HEIC left to the JPEG beside it, 2 failed");
});

test("several links to one photo are all answered, and the photo is written once", async () => {
  const folder = await temporaryFolder();
  await copyFile(photoPath("coffee"), join(folder, "a.jpg"));
  for (const name of ["b", "c", "d", "e", "f"]) await symlink("a.jpg", join(folder, `${name}.jpg`));
  const { code, stderr } = await captionTiny(folder, ".", "--embed", "--csv", "t.csv");
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/\n1 captioned, 5 copies of other photos\n$/),
  });
  expect((await readFile(join(folder, "t.csv"), "utf8")).trimEnd().split("\n")).toHaveLength(7);
});
