import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ptbTokenize, scoredTokens } from "../../../training/score/ptb-tokenize.ts";
import { scoreCaptions } from "../../../training/score/score-captions.ts";
import { isResearchDataThere, researchData } from "../../fixtures/research-data.ts";

/** Checked against CoreNLP 3.4.1; tokens are parted by a space, punctuation is dropped. */
const rows: [text: string, tokens: string][] = [
  ["A dog runs .", "a dog runs"],
  ["A dog, running!", "a dog running"],
  ["", ""],
  [" . , ! ? -- ... ; : '' `` ", ""],
  ["  tabs\tand   spaces ", "tabs and spaces"],

  ["don't can't won't DON'T", "do n't ca n't wo n't do n't"],
  ["do n't", "do n't"],
  ["the dog's bone, the dogs' bones", "the dog 's bone the dogs bones"],
  ["the dog 's bone", "the dog 's bone"],
  ["I'm they're we've he'll she'd", "i 'm they 're we 've he 'll she 'd"],
  ["shouldn't've", "should n't 've"],
  ["cannot gonna wanna gotta gimme lemme", "can not gon na wan na got ta gim me lem me"],
  ["cannot-be gonna's dunno", "cannot-be gonna 's dunno"],
  ["'tis 'twas 'twasn't", "'t is 't was 't was n't"],
  ["y'all ma'am O'Neil d'oh five o'clock", "y' all ma'am o'neil d'oh five o'clock"],
  ["rock'n'roll rock 'n' roll 'em 'til 'cause", "rock 'n' roll rock 'n' roll 'em 'til 'cause"],
  ["the '90s, the 1990s and 1990's", "the '90s the 1990s and 1990 's"],

  ["\"quoted\" 'single' ``latex'' “smart” ‘single’", "quoted single latex smart single"],
  ["don’t dog’s they’re", "do n't dog 's they 're"],
  ["don`t", "do n`t"],

  ["t-shirt well-known 10-year-old", "t-shirt well-known 10-year-old"],
  ["a -- b a--b a—b a–b a - b -b b-", "a b a b a b a b a b b b"],
  ["wait... wait… wait .... hey...you", "wait wait wait hey you"],
  ["hello!! what?? what?! really!", "hello !! what ?? what ?! really"],

  ["mr. Mrs. Dr. St. etc. vs. corp.", "mr. mrs. dr. st. etc. vs. corp."],
  ["U.S. u.s.a. 5 p.m. at 3 pm. D.C.", "u.s. u.s.a. 5 p.m. at 3 pm d.c."],
  ["u.s.-based e.g. i.e. Ph.D.", "u.s.-based e.g. i.e. ph.d."],
  ["no. 5 and no. dogs", "no. 5 and no dogs"],
  ["Mass. and a mass.", "mass. and a mass"],
  ["letter b. The dog, letter b. the dog", "letter b the dog letter b. the dog"],
  ["word.Another photo.jpg", "word.another photo.jpg"],

  ["1,000 3.5 .5 12:30 100.", "1,000 3.5 .5 12:30 100"],
  ["4x4 2nd 5kg 5.5kg 12:30pm", "4x4 2nd 5kg 5.5 kg 12:30 pm"],
  ["3 1/2 cups, 1/2, 24/7", "3\u00a01/2 cups 1/2 24/7"],
  ["½ 2½ ¼", "1/2 2 1/2 1/4"],
  ["555-1234 -5 3+4 5'10\"", "555-1234 -5 3 +4 5 10"],
  ["$5 $5.00 £5 €5 5¢ US$5 50%", "$ 5 $ 5.00 # 5 $ 5 5 cents us$ 5 50 %"],

  ["black/white and/or his/her w/o w/ a / b", "black/white and/or his/her w/o w / a / b"],
  ["AT&T R&B at&t a & b &amp; c", "at&t r&b at & t a & b & c"],
  ["C# C++ #1 #tag @home me@dog.com", "c# c++ # 1 #tag @home me@dog.com"],
  ["www.dog.com http://dog.com.", "www.dog.com http://dog.com"],
  ["<br> <a b> :) (:", "<br> <a\u00a0b> :-rrb- -lrb-"],
  ["a=b a*b ~x |y 5°", "a = b a * b ~ x | y 5 °"],
  // Lower-casing comes before the scorer drops "-LRB-", so a caption's own brackets stay.
  ["(one) [two] {three}", "-lrb- one -rrb- -lsb- two -rsb- -lcb- three -rcb-"],

  ["café naïve ÉTÉ Åse", "café naïve été åse"],
  ["Собака бежит. 日本語", "собака бежит 日本語"],
  ["dog🐶cat ❤️ ☃", "dog cat ❤ ☃"],
  ["soft\u00adhyphen zero\u200bwidth no\u00a0break", "softhyphen zero width no break"],
];

describe("PTB tokens of a caption", () => {
  test.each(rows)("%s", (text, tokens) => {
    expect(ptbTokenize(text).join(" ")).toBe(tokens);
  });

  test("are the same when they are tokenised again, for plain words", () => {
    const tokens = ptbTokenize("The dogs' owner doesn't see two well-known T-shirts at 5 p.m. on Main St., does he?");
    expect(ptbTokenize(tokens.join(" "))).toEqual(tokens);
  });

  test("come from a long run of one sign without delay", () => {
    for (const sign of ["a", ".", "'", "-", "a.", "5-", "a/", "n't", "<a", "http://"]) {
      const startedAt = performance.now();
      ptbTokenize(sign.repeat(2000));
      expect(performance.now() - startedAt).toBeLessThan(2000);
    }
  });
});

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
