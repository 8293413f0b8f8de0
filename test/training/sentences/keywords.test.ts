import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { exiftoolPath } from "exiftool-vendored";
import { describe, expect, test } from "vitest";
import { openBundle } from "../../../captioner/bundle.ts";
import { readKeywords } from "../../../training/sentences/read-keywords.ts";
import { readChosen } from "../../../training/sentences.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { madePhotos } from "../../fixtures/made-images.ts";
import { isProgramThere } from "../../fixtures/programs.ts";
import { listen, tinyTraining, train } from "../run-prepare.ts";

const run = promisify(execFile);

async function tag(file: string, tags: readonly string[]): Promise<void> {
  await run(await exiftoolPath(), [...tags, "-overwrite_original", file]);
}

const text = [
  "A pizza lies on the wooden table .",
  "A large pizza is on a white plate .",
  "A brown dog runs over the green grass .",
  "The dog sits on the grass beside a tree .",
].join("\n");

/** Twenty photos with keywords as XMP, as IPTC or in a sidecar, a copy of one of them, and one of which nobody said anything. */
async function keywordPhotos(): Promise<string> {
  const folder = await temporaryFolder();
  const exiftool = await exiftoolPath();
  for (const [index, bytes] of (await madePhotos(21)).entries()) {
    const file = join(folder, `${index}.jpg`);
    await writeFile(file, bytes);
    const keywords = index % 2 === 0 ? ["Pizza", "Table"] : ["Dog|Brown Dog", "Grass"];
    const field = index % 3 === 0 || index === 7 ? "XMP-dc:Subject" : "IPTC:Keywords";
    const place = index === 7 ? join(folder, "7.xmp") : file;
    if (index < 20)
      await run(exiftool, [...keywords.map((keyword) => `-${field}=${keyword}`), "-overwrite_original", place]);
  }
  await copyFile(join(folder, "0.jpg"), join(folder, "copy.jpg"));
  await writeFile(join(folder, "text.txt"), text);
  return folder;
}

describe("a folder of photos with keywords of their own", () => {
  test("trains, each photo on sentences of the text that say its keywords", async () => {
    const folder = await keywordPhotos();
    const out = await temporaryFolder();
    const trained = await train(
      ...["--keywords", folder, "--text", join(folder, "text.txt"), "--out", out],
      ...["--min-count", "1", ...tinyTraining],
    );
    expect(trained.stderr).toContain("sentences: chosen for 21 photos, 5 each at most\n");
    expect(trained.code).toBe(0);
    const chosen = await readChosen({ out });
    const firstOf = new Map(chosen.map(({ image, captions }) => [image.split("/").at(-1), captions[0]]));
    for (let index = 0; index < 20; index++) {
      expect(firstOf.get(`${index}.jpg`)).toMatch(index % 2 === 0 ? /pizza/ : /dog/);
    }
    expect(firstOf.has("20.jpg")).toBe(false);
    expect(chosen.find(({ image }) => image.endsWith("/1.jpg"))?.words).toEqual({
      dog: 0.95,
      brown: 0.95,
      grass: 0.95,
    });
    const { vocabulary, manifest } = await openBundle(join(out, "bundle"));
    expect(vocabulary.words).toContain("pizza");
    expect(manifest.provenance.join("\n")).toMatch(
      /trained on \d+ sentences chosen for \d+ photos, natural(.*\n)+Sentences, at weight 0\.2: of text\.txt sha256 \w{64}; chosen by keywords in the photos\./,
    );
  }, 60_000);

  test.skipIf(!isProgramThere("mkfifo") || !existsSync("/proc/self/mem"))(
    "leaves out, by name, photos that cannot be read or whose sidecar cannot (needs mkfifo and /proc)",
    async () => {
      const folder = await temporaryFolder();
      const [bytes = ""] = await madePhotos(1);
      for (const name of ["a.jpg", "b.jpg", "c.jpg"]) await writeFile(join(folder, name), bytes);
      await tag(join(folder, "a.jpg"), ["-XMP-dc:Subject=Pizza"]);
      await tag(join(folder, "b.jpg"), ["-XMP-dc:Subject=Dog"]);
      execFileSync("mkfifo", [join(folder, "b.xmp"), join(folder, "pipe")]);
      const odd = { "e.jpg": "/proc/self/mem", "f.jpg": "f.jpg", "g.jpg": "pipe", "c.jpg.xmp": "/proc/self/mem" };
      for (const [name, target] of Object.entries(odd)) await symlink(target, join(folder, name));
      const heard = listen();
      const { photos } = await readKeywords(folder);
      const said = heard();
      expect(photos.map(({ file }) => file)).toEqual([join(folder, "a.jpg")]);
      const inputError = "EIO: i/o error, read";
      for (const line of [
        `${join(folder, "b.xmp")}: it is a named pipe, expected a file`,
        `${join(folder, "c.jpg.xmp")}: ${inputError}`,
        `${join(folder, "e.jpg")}: ${inputError}`,
        `${join(folder, "f.jpg")}: the links lead in a circle`,
        `${join(folder, "g.jpg")}: it is a named pipe, expected a file`,
        "5 photos are left out: their keywords cannot be read",
      ]) {
        expect(said).toContain(`${line}\n`);
      }
    },
  );

  test("finds sidecars of names that are no UTF-8, and those that are links", async () => {
    const folder = await temporaryFolder();
    const [bytes = ""] = await madePhotos(1);
    await tag(join(folder, "keywords.xmp"), ["-XMP-dc:Subject=Pizza"]);
    for (const name of ["M\xFCller.jpg", "b.jpg"]) {
      const photo = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, "latin1")]);
      await writeFile(photo, bytes);
      await symlink("keywords.xmp", Buffer.concat([photo, Buffer.from(".xmp")]));
    }
    listen();
    const { photos } = await readKeywords(folder);
    expect(photos.map(({ words }) => [...words.keys()])).toEqual([["pizza"], ["pizza"]]);
  });

  test("is refused where no photo has any", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "text.txt"), text);
    await writeFile(join(folder, "a.jpg"), (await madePhotos(1))[0] ?? "");
    const out = await temporaryFolder();
    const trained = await train("sentences", "--keywords", folder, "--text", join(folder, "text.txt"), "--out", out);
    expect(trained.code).toBe(1);
    expect(trained.stderr).toContain("expected photos with keywords, found none in 1 photo");
  });
});
