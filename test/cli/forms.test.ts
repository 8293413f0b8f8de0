import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExifTool } from "exiftool-vendored";
import { afterAll, describe, expect, test } from "vitest";
import type { RawTags } from "../../files/exiftool.ts";
import { formResult } from "../../shared/caption-form.ts";
import { captionResultSchema } from "../../shared/contract.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { captionTiny, edgeCaptionIn } from "./run-command.ts";

const exiftool = new ExifTool();
afterAll(() => exiftool.end());

async function setTags(file: string, tags: RawTags): Promise<void> {
  await exiftool.write(file, tags, { writeArgs: ["-overwrite_original"] });
}

const fields = {
  description: "XMP-dc:Description",
  altText: "XMP-iptcCore:AltTextAccessibility",
  subject: "XMP-dc:Subject",
  iptcKeywords: "IPTC:Keywords",
  writer: "XMP-photoshop:CaptionWriter",
} as const;

/** Reads the fields that other programs read; a list with one entry is a list. */
async function readFields(file: string): Promise<Partial<Record<keyof typeof fields, unknown>>> {
  const tags: Record<string, unknown> = await exiftool.readRaw(file, {
    readArgs: ["-G1", ...Object.values(fields).map((field) => `-${field}`)],
  });
  const found = Object.entries(fields).map(([name, field]) => [
    name,
    ["subject", "iptcKeywords"].includes(name) ? [tags[field] ?? []].flat() : tags[field],
  ]);
  return Object.fromEntries(found);
}

async function photoFolder(count = 1): Promise<{ folder: string; photo: string }> {
  const folder = await temporaryFolder();
  for (const [index, bytes] of (await madePhotos(count)).entries())
    await writeFile(join(folder, `${index}.jpg`), bytes);
  return { folder, photo: join(folder, "0.jpg") };
}

async function resultIn(folder: string, ...flags: string[]) {
  const { stdout, code } = await captionTiny(folder, "0.jpg", "--json", ...flags);
  expect(code).toBe(0);
  return captionResultSchema.strict().parse(JSON.parse(stdout).result);
}

describe("captions in another form", () => {
  test("are made from what was captioned before, and told in every output", async () => {
    const { folder } = await photoFolder();
    const search = ["--beam", "4", "--candidates", "4"];
    const plain = await resultIn(folder, ...search);
    await captionTiny(folder, "0.jpg", "--txt", ...search);
    const form = ["--sentence", "--neutral"];
    const { stderr } = await captionTiny(
      folder,
      "0.jpg",
      "--csv",
      "a.csv",
      "--jsonl",
      "a.jsonl",
      "--txt",
      ...form,
      ...search,
    );
    expect(stderr).toContain("1 captioned earlier and written now");
    const { caption } = formResult(plain, { ...plain.options, style: "sentence", neutral: true });
    expect(caption).toMatch(/^[A-Z].*\.$/);
    expect(await readFile(join(folder, "0.txt"), "utf8")).toBe(`${caption}\n`);
    expect(await readFile(join(folder, "a.csv"), "utf8")).toContain(`0.jpg,${caption},`);
    expect(JSON.parse(await readFile(join(folder, "a.jsonl"), "utf8")).result).toMatchObject({
      caption,
      options: { style: "sentence", neutral: true },
    });
  });

  test("are known as the model's by later runs and by apply", async () => {
    const { folder } = await photoFolder();
    await captionTiny(folder, "0.jpg", "--txt", "--csv", "a.csv", "--sentence");
    const sentence = await readFile(join(folder, "0.txt"), "utf8");
    const { stderr } = await edgeCaptionIn(folder, "apply", "a.csv", "--xmp");
    expect(stderr).toContain("1 left as they were");
    await captionTiny(folder, "0.jpg", "--txt");
    const plain = await readFile(join(folder, "0.txt"), "utf8");
    expect(plain.toLowerCase()).toBe(sentence.toLowerCase().replace(".\n", "\n"));
    expect(plain).not.toBe(sentence);
  });

  test("leave what a person wrote, even if it is the model's sentence", async () => {
    const { folder } = await photoFolder();
    await captionTiny(folder, "0.jpg", "--txt");
    const plain = await readFile(join(folder, "0.txt"), "utf8");
    const edited = `${plain.charAt(0).toUpperCase()}${plain.slice(1).trim()}.`;
    await writeFile(join(folder, "0.txt"), edited);
    await captionTiny(folder, "0.jpg", "--txt");
    expect(await readFile(join(folder, "0.txt"), "utf8")).toBe(edited);
  });

  test("have a limit of words that is another search", async () => {
    const { folder } = await photoFolder();
    await captionTiny(folder, "0.jpg", "--txt");
    const { stderr } = await captionTiny(folder, "0.jpg", "--txt", "--max-words", "5");
    expect(stderr).toMatch(/(?:^|\n)1 captioned$/m);
    expect((await resultIn(folder, "--max-words", "5")).options).toEqual({ beam: 3, candidates: 1, maxWords: 5 });
    const refused = await captionTiny(folder, "0.jpg", "--max-words", "3");
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain("expected maxWords to be one whole number from 5 to 20");
  });
});

describe("--alt-text", () => {
  test.each(["--xmp", "--embed"])("writes IPTC's field beside the description, with %s", async (place) => {
    const { folder, photo } = await photoFolder();
    await captionTiny(folder, "0.jpg", place, "--alt-text");
    const { description, altText, writer } = await readFields(place === "--xmp" ? `${photo}.xmp` : photo);
    expect(description).toBeTypeOf("string");
    expect(altText).toBe(description);
    expect(writer).toMatch(/^edge-caption tiny /);
    expect((await captionTiny(folder, "0.jpg", place, "--alt-text")).stderr).toContain("1 had their caption already");
  });

  test("alone leaves a person's description, and says that a machine wrote only where it wrote all", async () => {
    const { folder } = await photoFolder(2);
    await setTags(join(folder, "1.jpg"), { [fields.description]: "Ada's birthday" });
    await captionTiny(folder, ".", "--embed", "--alt-text=only");
    const [own, persons] = [await readFields(join(folder, "0.jpg")), await readFields(join(folder, "1.jpg"))];
    expect(own).toMatchObject({ description: undefined, altText: expect.any(String), writer: expect.any(String) });
    expect(persons).toMatchObject({ description: "Ada's birthday", altText: expect.any(String), writer: undefined });
  });

  test("keeps a person's alternative text while the description is written", async () => {
    const { folder, photo } = await photoFolder();
    await setTags(photo, { [fields.altText]: "Ada blows out candles" });
    const { stderr } = await captionTiny(folder, "0.jpg", "--embed", "--alt-text");
    expect(await readFields(photo)).toMatchObject({
      altText: "Ada blows out candles",
      description: expect.any(String),
    });
    expect(stderr).toContain("1 kept what a person wrote");
  });

  test("replaces what this program wrote, without any state, and goes with a cleared caption", async () => {
    const { folder, photo } = await photoFolder();
    await captionTiny(folder, "0.jpg", "--xmp", "--alt-text", "--keywords");
    const sidecar = `${photo}.xmp`;
    const before = await readFields(sidecar);
    await captionTiny(folder, "0.jpg", "--xmp", "--alt-text", "--sentence", "--state", "another.jsonl");
    expect((await readFields(sidecar)).altText).toBe(formedAsSentence(before.altText));
    await captionTiny(folder, "0.jpg", "--csv", "a.csv", "--xmp", "--alt-text");
    const table = await readFile(join(folder, "a.csv"), "utf8");
    await writeFile(join(folder, "a.csv"), table.replace(/0\.jpg,[^,]*,/, "0.jpg,,"));
    await edgeCaptionIn(folder, "apply", "a.csv", "--xmp");
    await expect(readFile(sidecar)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("is refused where no metadata is written, and in a run that takes a path for its value", async () => {
    const { folder } = await photoFolder();
    const nowhere = await captionTiny(folder, "0.jpg", "--alt-text", "--txt");
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining("expected --xmp or --embed") });
    const swallowed = await captionTiny(folder, "--xmp", "--alt-text", "0.jpg");
    expect(swallowed).toMatchObject({ code: 2, stderr: expect.stringContaining("Allowed choices are beside, only") });
  });
});

describe("--keywords", () => {
  test("writes the results' keywords where photo programs read them, and keeps a person's", async () => {
    const { folder, photo } = await photoFolder();
    await setTags(photo, { [fields.subject]: ["holiday"], [fields.iptcKeywords]: ["holiday"] });
    const { keywords = [] } = await resultIn(folder, "--keywords");
    expect(keywords.length).toBeGreaterThan(0);
    const words = keywords.map(({ keyword }) => keyword);
    await captionTiny(folder, "0.jpg", "--embed", "--xmp", "--keywords");
    expect(await readFields(photo)).toMatchObject({
      subject: ["holiday", ...words],
      iptcKeywords: ["holiday", ...words],
    });
    expect((await readFields(`${photo}.xmp`)).subject).toEqual(["holiday", ...words]);
  });

  test("are changed by a later run: ours go, a person's stay, and what a person removed is not written again", async () => {
    const { folder, photo } = await photoFolder();
    const search = ["--beam", "5", "--candidates", "5"];
    await captionTiny(folder, "0.jpg", "--xmp", "--keywords", ...search);
    const sidecar = `${photo}.xmp`;
    const { subject } = await readFields(sidecar);
    const [first, ...others] = subject as string[];
    await setTags(sidecar, { [fields.subject]: [...others, "Ada"] });
    await captionTiny(folder, "0.jpg", "--xmp", "--keywords", ...search);
    expect((await readFields(sidecar)).subject).toEqual([...others, "Ada"]);
    const { keywords = [] } = await resultIn(folder, "--keywords", "--beam", "1");
    const fewer = keywords.map(({ keyword }) => keyword).filter((keyword) => keyword !== first);
    await captionTiny(folder, "0.jpg", "--xmp", "--keywords", "--beam", "1");
    const now = (await readFields(sidecar)).subject as string[];
    expect(now.toSorted()).toEqual(["Ada", ...fewer].toSorted());
    await captionTiny(folder, "0.jpg", "--xmp", "--keywords", "--overwrite", ...search);
    expect((await readFields(sidecar)).subject).toEqual(expect.arrayContaining(["Ada", first, ...others]));
  });

  test("are refused where there is no place for them", async () => {
    const { folder } = await photoFolder();
    const { code, stderr } = await captionTiny(folder, "0.jpg", "--keywords");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("expected --xmp, --embed, --json or --jsonl"),
    });
  });
});

function formedAsSentence(caption: unknown): string {
  const text = String(caption);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
