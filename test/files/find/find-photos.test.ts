import { mkdir, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { findPhotos } from "../../../files/find/find-photos.ts";
import { readPathList } from "../../../files/find/read-path-list.ts";
import type { FoundPhoto } from "../../../files/find/search-result.ts";
import { PassedOver } from "../../../files/find/search-result.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";

/** A folder with files of these names, empty: finding does not open them. */
async function folderOf(...names: string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), "");
  }
  return folder;
}

async function find(folder: string, places: string[], sinceMs?: number): Promise<string[]> {
  const found = (await Readable.from(findPhotos(places, { folder, sinceMs })).toArray()) as FoundPhoto[];
  return found.map((photo) => ("error" in photo ? `${photo.path}: ${photo.error}` : photo.path));
}

test("finds the photos in a folder and below it by name, without hidden ones, thumbnails of a NAS and other files", async () => {
  const folder = await folderOf(
    ...["b.JPG", "a.heic", "c/d/e.webp", "c/x.avif", "notes.txt", "c/movie.mp4", "noextension"],
    ...[".hidden.jpg", ".thumbnails/t.jpg", "@eaDir/b.jpg", "._b.jpg", "z.tiff", "y.Jpeg"],
  );
  expect(await find(folder, ["."])).toEqual(["a.heic", "b.JPG", "c/d/e.webp", "c/x.avif", "y.Jpeg", "z.tiff"]);
  expect(await find(dirname(folder), [folder])).toContain(join(folder, "c/d/e.webp"));
});

test("takes each photo once, in the order of the places", async () => {
  const folder = await folderOf("b/1.jpg", "b/2.jpg", "a/3.jpg");
  expect(await find(folder, ["b/2.jpg", "b", "a", "./b/1.jpg", "b"])).toEqual(["b/2.jpg", "b/1.jpg", "a/3.jpg"]);
});

test("takes a named file whatever its name, and a pattern as such only if no file has that name", async () => {
  const folder = await folderOf("strange", "img[1].jpg", "img1.jpg", "img2.jpg", "deep/er/3.jpg", "deep/4.png");
  expect(await find(folder, ["strange", "img[1].jpg"])).toEqual(["strange", "img[1].jpg"]);
  expect(await find(folder, ["img[12].jpg"])).toEqual(["img1.jpg", "img2.jpg"]);
  expect(await find(folder, ["**/*.{jpg,png}"])).toEqual([
    "deep/4.png",
    "deep/er/3.jpg",
    "img1.jpg",
    "img2.jpg",
    "img[1].jpg",
  ]);
  expect(await find(folder, ["d*"])).toEqual(["deep/4.png", "deep/er/3.jpg"]);
});

test("takes parts of a pattern that exist literally as names, whatever their characters", async () => {
  const folders = ["photos (2023)", "br[1]", "{b}", "y!", "p+q", "a$b", "q@(r)", "x/photos (2023)", "ü (ü) [1]"];
  const folder = await folderOf(...folders.map((name) => `${name}/1.jpg`), "x/img[1].jpg", "x/img1.jpg", "x/2.png");
  for (const name of folders) expect(await find(folder, [`${name}/*.jpg`])).toContain(`${name}/1.jpg`);
  expect(await find(folder, [join(folder, "photos (2023)/*.jpg")])).toEqual([join(folder, "photos (2023)/1.jpg")]);
  expect(await find(folder, ["**/photos (2023)/*.{jpg,png}"])).toEqual([
    "photos (2023)/1.jpg",
    "x/photos (2023)/1.jpg",
  ]);
  expect(await find(folder, ["*/img[1].jpg"])).toEqual(["x/img[1].jpg"]);
  expect(await find(folder, ["x/{img[12],2}.*"])).toEqual(["x/2.png", "x/img1.jpg"]);
  expect(await find(folder, ["no (1)/x.jpg"])).toEqual(["no (1)/x.jpg: there is no such file or folder"]);
});

const keptByOthers = [
  ...["$RECYCLE.BIN/S-1/$R1.jpg", "System Volume Information/a.jpg", "FOUND.000/a.jpg", "__MACOSX/a.jpg"],
  ...[
    "@Recycle/a.jpg",
    "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg",
    "#recycle/a.jpg",
    ".@__thumb/a.jpg",
    ".Trash-1000/files/a.jpg",
  ],
  ...["lost+found/a.jpg", ".thumbnails/a.jpg", ".Spotlight-V100/a.jpg", "Catalog Previews.lrdata/0/a.jpg"],
  ...["My.photoslibrary/resources/derivatives/a.jpg", "My.photoslibrary/private/a.jpg"],
];

test("passes over trash, thumbnails and previews, unless they are named", async () => {
  const folder = await folderOf(...keptByOthers, "a.jpg", "My.photoslibrary/originals/0/a.jpg");
  const theirs = ["My.photoslibrary/originals/0/a.jpg", "a.jpg"];
  expect(await find(folder, ["."])).toEqual(theirs);
  expect(await find(folder, ["**/*.jpg"])).toEqual(theirs);
  for (const place of keptByOthers) {
    expect(await find(folder, [dirname(place)])).toEqual([place]);
    expect(await find(folder, [`${dirname(place)}/*.jpg`])).toEqual([place]);
  }
});

test("counts what it passes over, by kind", async () => {
  const folder = await folderOf(
    ...[
      "a.jpg",
      "a.CR2",
      "b.dng",
      "a.mov",
      "c.bmp",
      "a.txt",
      "a.jpg.xmp",
      ".hidden.jpg",
      ".git/x",
      ".DS_Store",
      "._a.jpg",
    ],
    ...["@eaDir/a.jpg", "old.jpg"],
  );
  await utimes(join(folder, "old.jpg"), 1000, 1000);
  await symlink(folder, join(folder, "circle"));
  const passedOver = new PassedOver();
  const found = findPhotos(["."], { folder, sinceMs: 2_000_000, passedOver });
  expect(await Readable.from(found).toArray()).toEqual([{ path: "a.jpg" }]);
  expect(passedOver.describe()).toBe(
    "passed over: 2 hidden, 1 folder of trash, thumbnails or previews, 2 raw photos, 1 video, 1 picture in another format, 1 link to a folder, 1 older than --since",
  );
});

test("reports what is not there, and continues", async () => {
  const folder = await folderOf("a.jpg");
  expect(await find(folder, ["none.jpg", "*.gif", "a.jpg"])).toEqual([
    "none.jpg: there is no such file or folder",
    "*.gif: no file matches this pattern",
    "a.jpg",
  ]);
  expect(await find(folder, ["a\0.jpg", "M\uFFFDller.jpg"])).toEqual([
    "a\0.jpg: expected a path, found a zero byte: is the list in UTF-16 without a byte order mark, or meant for -0?",
    "M\uFFFDller.jpg: there is no such file or folder; a name that is not UTF-8 is found by its folder, or in a list on standard input",
  ]);
});

test("follows a link to a photo, but none to a folder, which may lead in a circle", async () => {
  const folder = await folderOf("real/a.jpg");
  await symlink(join(folder, "real/a.jpg"), join(folder, "link.jpg"));
  await symlink(folder, join(folder, "real/circle"));
  await symlink(folder, join(folder, "real/circle.jpg"));
  expect(await find(folder, ["."])).toEqual(["link.jpg", "real/a.jpg"]);
});

test("finds names with spaces, quotes, newlines, emoji and 250 bytes", async () => {
  const names = ["a b.jpg", 'it\'s "quoted".jpg', "two\nlines.jpg", "🐕.jpg", `${"n".repeat(246)}.jpg`];
  const folder = await folderOf(...names);
  expect(await find(folder, ["."])).toEqual(names.toSorted((one, other) => (one < other ? -1 : 1)));
});

test("passes over photos that have not changed since a moment", async () => {
  const folder = await folderOf("old.jpg", "new.jpg");
  await utimes(join(folder, "old.jpg"), 1000, 1000);
  expect(await find(folder, [".", "none.jpg"], 2_000_000)).toEqual([
    "new.jpg",
    "none.jpg: there is no such file or folder",
  ]);
});

test.each([
  [["a.jpg\nb c.jpg\r\n\n", "d", ".jpg"], false, ["a.jpg", "b c.jpg", "d.jpg"]],
  [["a\nb.jpg\0c\r.jpg\0\0"], true, ["a\nb.jpg", "c\r.jpg"]],
  [[Buffer.from("🐕.jpg\n").subarray(0, 2), Buffer.from("🐕.jpg\n").subarray(2)], false, ["🐕.jpg"]],
  [[], false, []],
  [["\ufeffa.jpg\r\n"], false, ["a.jpg"]],
  [[Buffer.from("\ufeffMüller.jpg\r\nb.jpg\r\n", "utf16le")], false, ["Müller.jpg", "b.jpg"]],
  [[...Buffer.from("\ufeffa.jpg\n", "utf16le").swap16()].map((byte) => Buffer.of(byte)), false, ["a.jpg"]],
  [["\ufeff"], false, []],
  [[Buffer.from("M\xFCller.jpg\nb.jpg", "latin1")], false, ["M\uDCFCller.jpg", "b.jpg"]],
  [[Buffer.from("M\xFCller.jpg\0", "latin1")], true, ["M\uDCFCller.jpg"]],
  [['"M\\udcfcller.jpg"\n'], false, ["M\uDCFCller.jpg"]],
  [['"two\\nlines.jpg"\n"quoted.jpg"\n"a\\u001b"'], false, ["two\nlines.jpg", '"quoted.jpg"', "a\u001b"]],
])("reads the list %j", async (chunks, isNulSeparated, paths) => {
  const input = Readable.from(chunks);
  expect(await Readable.from(readPathList(input, { isNulSeparated })).toArray()).toEqual(paths);
});
