import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { fromDiskPath, fromPathText, toDiskPath, toPathText } from "../../files/disk-path.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { captionTiny, commandLine, edgeCaptionIn } from "./run-command.ts";

/** Names that programs read as something else, and two with all bytes that a Linux disk takes; those from 0x80 on are not UTF-8. */
const oddNames = [
  ...["100%fun", "%d%f%%", "-o", "--embed", "@", "@list", " ", "  a  ", "#[CSTR]a", "a\nb", "\r", "\n-execute\n", "=b"],
  ...[
    "$(id)",
    "`id`",
    "'",
    '"',
    "a\\b",
    "*",
    "?",
    "[a]",
    "{a,b}",
    "a;b",
    "a|b",
    "<a>",
    "&amp;",
    "🐕",
    "é",
    "e\u0301",
    "\u2028",
  ],
].map((name) => Buffer.from(name));
const controls = Buffer.from(Array.from({ length: 127 }, (_, index) => index + 1).filter((byte) => byte !== 0x2f));
const latin1 = Buffer.from(Array.from({ length: 128 }, (_, index) => index + 128));
const names = [...oddNames, controls, latin1, Buffer.from("M\xFCller", "latin1"), Buffer.from("M\xE4ller", "latin1")];

describe("a name on disk", () => {
  test.each(names.map((name) => [name.toString("latin1"), name]))("%j is the same bytes again", (_, name) => {
    expect(Buffer.from(toDiskPath(fromDiskPath(name)))).toEqual(name);
    expect(fromPathText(toPathText(fromDiskPath(name)))).toBe(fromDiskPath(name));
  });

  test("is the plain string if it is UTF-8, including a byte order mark", () => {
    expect(fromDiskPath(Buffer.from("\uFEFF🐕é"))).toBe("\uFEFF🐕é");
    expect(toPathText(fromDiskPath(Buffer.from("M\xFCller é", "latin1")))).toBe("M\\xFCller \\xE9");
  });
});

test("any name of a folder and a photo passes through all outputs, twice, and leaves nothing elsewhere", async () => {
  const folder = await temporaryFolder();
  const photos = await madePhotos(names.length, { width: 60, height: 40 });
  const inPhotos = (...parts: Buffer[]) => Buffer.concat([Buffer.from(`${folder}/photos`), ...parts]);
  const [slash, jpg, txt, xmp] = ["/", ".jpg", ".txt", ".jpg.xmp"].map((text) => Buffer.from(text)) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  await mkdir(join(folder, "photos"));
  for (const [index, name] of names.entries()) {
    await mkdir(inPhotos(slash, name));
    await writeFile(inPhotos(slash, name, slash, name, jpg), photos[index] ?? "");
  }
  const outputs = ["--jsonl", "a.jsonl", "--csv", "a.csv", "--html", "a.html", "--txt", "--xmp", "--embed"];
  const first = await captionTiny(folder, "photos", ...outputs);
  expect(first.code, first.stderr).toBe(0);
  const lines = (await readFile(join(folder, "a.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const captions = new Map(lines.map(({ path, result }) => [path, result.caption]));
  expect(captions.size).toBe(names.length);
  for (const name of names) {
    const path = fromDiskPath(Buffer.concat([Buffer.from("photos/"), name, slash, name, jpg]));
    const caption = captions.get(path);
    expect(caption, path).toBeTypeOf("string");
    expect(await readFile(inPhotos(slash, name, slash, name, txt), "utf8")).toBe(`${caption}\n`);
    expect(await readFile(inPhotos(slash, name, slash, name, xmp), "utf8")).toContain(`>${caption}</rdf:li>`);
    expect(await readFile(inPhotos(slash, name, slash, name, jpg), "latin1")).toContain(`>${caption}</rdf:li>`);
    expect(await readdir(inPhotos(slash, name))).toHaveLength(3);
  }
  expect((await readdir(folder)).toSorted()).toEqual([".edge-caption.jsonl", "a.csv", "a.html", "a.jsonl", "photos"]);
  expect(await readdir(join(folder, "photos"))).toHaveLength(names.length);

  const written = await Promise.all(["a.jsonl", "a.csv", "a.html"].map((name) => readFile(join(folder, name))));
  const second = await captionTiny(folder, "photos", ...outputs);
  expect(second.stderr).toContain(`${names.length} had their caption already`);
  expect(await Promise.all(["a.jsonl", "a.csv", "a.html"].map((name) => readFile(join(folder, name))))).toEqual(
    written,
  );
}, 120_000);

test("a name that is not UTF-8 is shown byte by byte, read back from a list, and from a table beside formulas", async () => {
  const folder = await temporaryFolder();
  const [photo] = await madePhotos(1, { width: 60, height: 40 });
  const onDisk = (path: string) => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path, "latin1")]);
  await mkdir(onDisk("=M\xFCller"));
  await writeFile(onDisk("=M\xFCller/+\xE9.jpg"), photo ?? "");
  const path = "=M\uDCFCller/+\uDCE9.jpg";
  const quoted = '"=M\\udcfcller/+\\udce9.jpg"\n';
  expect((await captionTiny(folder, ".", "--dry-run")).stdout).toBe(quoted);
  expect((await edgeCaptionIn(folder, "status", "--missing")).stdout).toBe(quoted);
  expect(await listed(folder, quoted)).toEqual([path]);
  expect(await listed(folder, Buffer.from("=M\xFCller/+\xE9.jpg\n", "latin1"))).toEqual([path]);

  await captionTiny(folder, ".", "--csv", "a.csv");
  const table = await readFile(join(folder, "a.csv"), "utf8");
  expect(table).toContain("\n'=M\\xFCller/+\\xE9.jpg,");
  await writeFile(join(folder, "a.csv"), table.replace(/\n('=M[^,]*),[^,]*/, "\n$1,'=1+1 dogs"));
  expect(await edgeCaptionIn(folder, "apply", "a.csv", "--txt")).toMatchObject({ code: 0 });
  expect(await readFile(onDisk("=M\xFCller/+\xE9.txt"), "utf8")).toBe("=1+1 dogs\n");

  await writeFile(onDisk("=M\xFCller/+\xE9.jpg"), "no photo");
  expect((await captionTiny(folder, ".")).stderr).toContain("=M\\xFCller/+\\xE9.jpg: expected a JPEG");
}, 120_000);

/** The paths of the photos that a list on standard input names. */
async function listed(folder: string, list: string | Buffer): Promise<string[]> {
  const args = [...commandLine, "caption", "--model-dir", tinyBundle, "-", "--json"];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.end(list);
  const lines = (await text(child.stdout)).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line).path);
}
