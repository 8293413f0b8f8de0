import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { readJsonLines, readLines, splitLines } from "../../files/read-lines.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function fileOf(contents: string | Buffer): Promise<string> {
  const path = join(await temporaryFolder(), "lines");
  await writeFile(path, contents);
  return path;
}

describe("bytes", () => {
  test.each([1, 2, 3, 100])("are split at the same places in chunks of %i", async (size) => {
    const bytes = Buffer.from("one\n\ntwö\r\nthree");
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    const lines = await all(splitLines(Readable.from(chunks), { path: "x" }));
    expect(lines.map((line) => Buffer.from(line).toString())).toEqual(["one\n", "\n", "twö\r\n", "three"]);
  });

  test("are split at another separator", async () => {
    const lines = await all(splitLines(Readable.from([Buffer.from("a\nb\0c\0")]), { path: "x", separator: 0 }));
    expect(lines.map((line) => Buffer.from(line).toString())).toEqual(["a\nb\0", "c\0"]);
  });
});

test("a line without an end is refused before it fills the memory, by every reader of lines", async () => {
  const path = await fileOf(`{"kind":${" ".repeat(5 * 2 ** 20)}`);
  const sentence = `${path}: expected a text file, found a line of over 4 MiB`;
  await expect(all(readLines(path))).rejects.toThrow(sentence);
  await expect(all(readJsonLines(path, { opening: '{"kind":' }))).rejects.toThrow(sentence);
});

describe("JSON lines", () => {
  test("come with their places, without the line that a kill cut off", async () => {
    const path = await fileOf('{"a":1}\n{"a":"ö"}\n{"a"');
    expect((await all(readJsonLines(path, { opening: '{"a":' }))).map(({ offset, end }) => [offset, end])).toEqual([
      [0, 8],
      [8, 19],
    ]);
  });

  test("of somebody else's file are refused", async () => {
    const path = await fileOf('{"a":1}\nhello\n');
    await expect(all(readJsonLines(path, { opening: '{"a":' }))).rejects.toThrow(
      `${path}, line 2: expected JSON that begins with {"a":, found something else`,
    );
  });

  test("are none where there is no file", async () => {
    expect(await all(readJsonLines(join(await temporaryFolder(), "none"), { opening: "{" }))).toEqual([]);
  });
});
