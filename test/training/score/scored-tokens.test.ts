import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ptbTokenize } from "../../../training/score/ptb-tokenize.ts";
import { scoreCaptions } from "../../../training/score/score-captions.ts";
import { scoredTokens } from "../../../training/score/scored-tokens.ts";
import { isResearchDataThere, researchData } from "../../fixtures/research-data.ts";

describe("the tokens that a caption is scored by", () => {
  test.each([
    ["A dog’s ball — “don’t”…", "a dog 's ball do n't"],
    ["zwei Ma\u0308dchen", "zwei mädchen"],
    ["Ａ ｄｏｇ", "a dog"],
    ["一只狗在海滩上奔跑。", "一只 狗 在 海滩 上 奔跑"],
    ["犬がビーチを走る。", "犬 が ビーチ を 走る"],
    ["สุนัขวิ่งบนชายหาด", "สุนัข วิ่ง บน ชายหาด"],
    ["एक कुत्ता दौड़ रहा है।", "एक कुत्ता दौड़ रहा है"],
    ["كلب يركض على الشاطئ، قطة؟", "كلب يركض على الشاطئ قطة"],
    ["𞤀𞤣𞤤𞤢𞤥 🐶", "𞤢𞤣𞤤𞤢𞤥"],
  ])("of %s", (text, tokens) => {
    expect(scoredTokens(text).join(" ")).toBe(tokens);
  });

  test.skipIf(!isResearchDataThere)("of English are the COCO scorer's (needs ../shared)", () => {
    const lines = readFileSync(`${researchData}flickr8k/Flickr8k.token.txt`, "utf8").trim().split("\n");
    const captions = lines.filter((_, index) => index % 40 === 0).map((line) => line.split("\t")[1] ?? "");
    expect(captions.length).toBeGreaterThan(1000);
    expect(captions.map(scoredTokens)).toEqual(captions.map(ptbTokenize));
  });
});

test("a Chinese caption scores by the words that it shares with its reference", () => {
  const references = new Map([
    ["1", ["一只狗在海滩上奔跑。"]],
    ["2", ["两个孩子在公园里玩。"]],
  ]);
  const candidates = new Map([
    ["1", "一只狗在公园里奔跑"],
    ["2", "两个孩子在公园里玩"],
  ]);
  const { perPhoto } = scoreCaptions({ candidates, references });
  expect(perPhoto.get("1")?.bleu1).toBeCloseTo(4 / 6, 6); // all but 公园 and 里
  expect(perPhoto.get("2")?.bleu1).toBeCloseTo(1, 6);
});
