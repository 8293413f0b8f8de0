import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { describeWordVectors, readWordVectors } from "../../training/word-vectors.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";

const words = ["", "startseq", "dog", "cat", "endseq"];

async function fileOf(contents: string | Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), "vectors.txt");
  await writeFile(path, contents);
  return path;
}

/** `dog` and a word that nobody asks for, each number told by word and place. */
function madeText(dimension: number): string {
  const row = (first: number) => Array.from({ length: dimension }, (_, index) => (first + index / 1000).toFixed(3));
  return `the ${row(1).join(" ")}\ndog ${row(2).join(" ")}\n`;
}

describe("reads", () => {
  test.each([50, 100, 300])("%i dimensions, plain and gzip alike", async (dimension) => {
    for (const contents of [madeText(dimension), gzipSync(madeText(dimension))]) {
      const read = await readWordVectors(await fileOf(contents), words);
      expect(read).toMatchObject({ dimension, found: 1 });
      expect(read.vectors).toHaveLength(words.length * dimension);
      const dog = read.vectors.subarray(2 * dimension, 3 * dimension);
      expect([dog[0], dog[dimension - 1]]).toEqual([2, Math.fround(2 + (dimension - 1) / 1000)]);
      expect(read.vectors.filter((value) => value !== 0)).toHaveLength(dimension);
    }
  });

  test.each([
    ["after the line that word2vec writes first", "2 3\ndog 1 2 3\ncat 4 5 6\n"],
    ["with spaces and returns at the ends of lines", "dog 1 2 3 \r\ncat 4 5 6 \r\n\r\n"],
    ["without a newline at its end", "dog 1 2 3\ncat 4 5 6"],
    ["with a byte order mark", "\ufeffdog 1 2 3\ncat 4 5 6\n"],
    ["and takes a word's first line", "dog 1 2 3\ndog 7 8 9\ncat 4 5 6\n"],
    [
      "with terms of several words, as GloVe's 840B has",
      "dog 1 2 3\n. . . 7 8 9\nat name@domain.com 7 8 9\ncat 4 5 6\n",
    ],
    ["with line separators of Unicode inside a word", "dog 1 2 3\na\u2028cat 7 8 9\ncat 4 5 6\n"],
    ["with the word that is padding's", "dog 1 2 3\n 7 8 9\ncat 4 5 6\n"],
  ])("a file %s", async (_, text) => {
    const read = await readWordVectors(await fileOf(text), words);
    expect(read).toMatchObject({ dimension: 3, found: 2 });
    expect([...read.vectors]).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0]);
    expect(describeWordVectors(read)).toBe("2 of 4 words have a vector of 3 dimensions");
  });

  test("decomposed letters for the words that cleaning composes", async () => {
    const { found, vectors } = await readWordVectors(await fileOf("ma\u0308dchen 1 2\nstraße 3 4\n"), [
      "",
      "mädchen",
      "straße",
    ]);
    expect(found).toBe(2);
    expect([...vectors]).toEqual([0, 0, 1, 2, 3, 4]);
  });

  test("words that chunks of the file cut in two", async () => {
    const rows = Array.from({ length: 30_000 }, (_, index) => `wört${index} ${index} 0.5 -1e-3`);
    const wanted = ["", "startseq", ...rows.map((_, index) => `wört${index}`)];
    const { found, vectors } = await readWordVectors(await fileOf(rows.join("\n")), wanted);
    expect(found).toBe(30_000);
    expect([...vectors.subarray(-3)]).toEqual([29_999, 0.5, Math.fround(-1e-3)]);
  });
});

describe("refuses", () => {
  test.each([
    ["a line with fewer numbers", "dog 1 2 3\nthe 4 5\n", "line 2: expected 3 numbers as on the first line, found 2"],
    [
      "a line with more numbers",
      "dog 1 2 3\n\nthe 4 5 6 7\n",
      "line 3: expected 3 numbers as on the first line, found 4",
    ],
    ["another dimension than the first line tells", "9 4\ndog 1 2 3\n", "line 2: expected 4 numbers"],
    ["what is no number", "the 1 2 3\ndog 1 two 3\n", 'line 2: expected finite numbers, found "two"'],
    ["NaN", "the 1 2 3\ndog 1 NaN 3\n", 'line 2: expected finite numbers, found "NaN"'],
    ["infinity", "the 1 2 3\ndog 1 2 -Infinity\n", "line 2: expected finite numbers"],
    ["what is infinite as float32", "the 1 2 3\ndog 1 2 1e39\n", 'line 2: expected finite numbers, found "1e39"'],
    ["two spaces together", "the 1 2 3\ndog 1  3\n", 'line 2: expected finite numbers, found ""'],
    ["text", "There was a dog.\n", "line 1: expected a word and its numbers"],
    ["a word alone", "dog\n", "line 1: expected a word and its numbers"],
    ["an empty file", "", "expected word vectors, found an empty file"],
    ["a file without lines", Buffer.alloc(5 * 2 ** 20), "expected a text file, found a line of over 4 MiB"],
    [
      "a gzip file that is cut off",
      gzipSync(madeText(300)).subarray(0, -400),
      "the gzip file is cut off, fetch it again",
    ],
    ["a damaged gzip file", damaged(gzipSync(madeText(300))), "the gzip file is damaged, fetch it again"],
  ])("%s", async (_, contents, message) => {
    await expect(readWordVectors(await fileOf(contents), words)).rejects.toThrow(message);
  });
});

function damaged(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, 40), Buffer.alloc(40, 0xff), bytes.subarray(80)]);
}
