import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readWords } from "../../../training/sentences/read-words.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";

async function wordsFile(lines: readonly (object | string)[], known?: string): Promise<string> {
  const folder = await temporaryFolder();
  const path = join(folder, "words.jsonl");
  await writeFile(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  if (known !== undefined) await writeFile(join(folder, "known-words.tsv"), known);
  return path;
}

describe("reads photos with words", () => {
  test("with probabilities, or as a plain list", async () => {
    const path = await wordsFile([
      { image: "a.jpg", words: { pizza: 0.94, "Teddy Bear": 0.5 } },
      { image: "sub/b.jpg", words: ["dog", "grass"] },
    ]);
    const { photos } = await readWords(path);
    expect(photos.map(({ file, words }) => [file, Object.fromEntries(words)])).toEqual([
      [join(dirname(path), "a.jpg"), { pizza: 0.94, teddy: 0.5, bear: 0.5 }],
      [join(dirname(path), "sub/b.jpg"), { dog: 0.9, grass: 0.9 }],
    ]);
  });

  test("and what their labeller can say, as it lists it or else as far as it said it", async () => {
    const line = { image: "a.jpg", words: { pizza: 0.94 } };
    const listed = await readWords(await wordsFile([line], "word\tprior\tfloor\npizza\t0.2\t-2.3\ncat\t0.12\t-1\n"));
    expect(Object.fromEntries(listed.known)).toEqual({
      pizza: { prior: 0.2, floor: -2.3 },
      cat: { prior: 0.12, floor: -1 },
    });
    const { known } = await readWords(await wordsFile([line]));
    expect(Object.fromEntries(known)).toEqual({ pizza: { prior: 0.2, floor: -1 } });
  });
});

describe("refuses", () => {
  test.each<[string, object | string, RegExp]>([
    ["a probability above 1", { image: "a.jpg", words: { pizza: 1.4 } }, /line 1: words/],
    ["a probability of 0", { image: "a.jpg", words: { pizza: 0 } }, /line 1: words/],
    ["a photo without words", { image: "a.jpg" }, /line 1: words/],
    ["a line without a photo", { words: ["dog"] }, /line 1: image: Invalid input: expected string/],
    ["a line that is no JSON", "a.jpg pizza", /line 1: expected a JSON object, found something else/],
  ])("%s", async (_, line, message) => {
    await expect(readWords(await wordsFile([line]))).rejects.toThrow(message);
  });

  test("an empty file", async () => {
    await expect(readWords(await wordsFile([]))).rejects.toThrow("expected photos with words, found none");
  });

  test("a list of known words whose floor is no number below 0", async () => {
    const path = await wordsFile([{ image: "a.jpg", words: ["dog"] }], "word\tprior\tfloor\ndog\t0.2\t1\n");
    await expect(readWords(path)).rejects.toThrow(
      "known-words.tsv, line 2: expected a word, its prior and its floor below 0",
    );
  });
});
