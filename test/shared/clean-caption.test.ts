import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanCaption, imageIdOf, readCaption } from "../../shared/clean-caption.ts";

interface Row {
  text: string;
  tutorial: string;
  natural: string;
}

/** Python's `string.punctuation`. */
const asciiPunctuation = [..."!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"];

const rows: Row[] = [
  {
    text: "A child in a pink dress is climbing up a set of stairs in an entry way .",
    tutorial: "child in pink dress is climbing up set of stairs in an entry way",
    natural: "a child in a pink dress is climbing up a set of stairs in an entry way",
  },
  { text: "Two DOGS , playing !", tutorial: "two dogs playing", natural: "two dogs playing" },
  { text: "A man 's hat and a man's hat", tutorial: "man hat and mans hat", natural: "a man hat and a mans hat" },
  { text: "I think I'm on a t-shirt", tutorial: "think im on tshirt", natural: "i think im on a tshirt" },
  { text: 'An "a" and (i) -- and x', tutorial: "an and and", natural: "an a and i and" },
  { text: "8 men on 2x4s at 5pm", tutorial: "men on at", natural: "men on at" },
  { text: "  tabs\tand \n lines  ", tutorial: "tabs and lines", natural: "tabs and lines" },
  { text: "Café Åsa und 日本 naïve", tutorial: "café åsa und 日本 naïve", natural: "café åsa und 日本 naïve" },
  { text: "é 日 𠀀 𠀀𠀁", tutorial: "𠀀𠀁", natural: "é 日 𠀀 𠀀 𠀁" },
  { text: "“quoted” dog… – no", tutorial: "no", natural: "quoted dog no" },
  { text: "", tutorial: "", natural: "" },
  { text: ". , !", tutorial: "", natural: "" },
];

describe.each(["tutorial", "natural"] as const)("the %s cleaning", (cleaning) => {
  test.each(rows)("of $text", (row) => {
    expect(cleanCaption(row.text, cleaning).join(" ")).toBe(row[cleaning]);
  });

  test("strips every ASCII punctuation mark from inside a token", () => {
    expect(asciiPunctuation).toHaveLength(32);
    for (const mark of asciiPunctuation) expect(cleanCaption(`do${mark}g`, cleaning)).toEqual(["dog"]);
  });

  test("of any ASCII text parts tokens at white space and keeps those of letters alone", () => {
    const isKept = (word: string) => /^[a-z]{2,}$/.test(word) || (cleaning === "natural" && /^[ai]$/.test(word));
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 60 }), (text) => {
        const tokens = text.toLowerCase().split(/\s+/);
        const stripped = tokens.map((token) => [...token].filter((sign) => !asciiPunctuation.includes(sign)).join(""));
        expect(cleanCaption(text, cleaning)).toEqual(stripped.filter(isKept));
      }),
      { numRuns: 2000, seed: 7 },
    );
  });
});

test("the tutorial cleaning leaves marks that ASCII does not have to spoil a token", () => {
  for (const mark of ["’", "–", "…", "½", "\u0301"]) expect(cleanCaption(`do${mark}g`, "tutorial")).toEqual([]);
});

describe("the natural cleaning keeps every word", () => {
  test.each([
    [
      "a typographic apostrophe, as ASCII's",
      "A dog’s ball, the dogʼs, the dog´s and l’homme",
      "a dogs ball the dogs the dogs and lhomme",
    ],
    ["typographic quotes and an ellipsis", "“Two children” play ‘there’… «now»", "two children play there now"],
    ["dashes, which part words", "in the park—slowly, in–out, on ― off", "in the park slowly in out on off"],
    ["punctuation that Unicode keeps inside words", "dog：cat، a‿mat＿end", "dog cat a mat end"],
    ["typographic hyphens, as ASCII's", "a t\u2010shirt and a t\u2011shirt", "a tshirt and a tshirt"],
    ["a soft hyphen and a word joiner", "grass\u00adland and grass\u2060land", "grassland and grassland"],
    ["spaces of all kinds", "a\u00a0dog\u202fon\u3000a\u200bred\u0085mat", "a dog on a red mat"],
    ["decomposed letters", "zwei Ma\u0308dchen, cafe\u0301s", "zwei mädchen cafés"],
    ["full-width and half-width letters", "Ａ　ｄｏｇ ﾃﾞﾊﾟｰﾄ", "a dog デパート"],
    ["ligatures and mathematical letters", "a ﬁsh, 𝐛𝐨𝐥𝐝 text", "a fish bold text"],
    ["emoji between words", "dog🐶cat ❤️ 👩‍👩‍👧 end", "dog cat end"],
    ["words of one letter in other alphabets", "Собака в парке и кот à é", "собака в парке и кот à é"],
    ["German", "Die STRAẞE und die Straße", "die straße und die straße"],
    ["Catalan", "una col·lecció", "una collecció"],
    ["Turkish", "İki köpek, kız", "iki köpek kız"],
    ["Greek", "ΣΚΎΛΟΣ ΤΡΈΧΕΙ", "σκύλος τρέχει"],
    ["Ukrainian", "п’ять п'ять пʼять", "пять пять пять"],
    ["Hindi", "एक कुत्ता समुद्र तट पर दौड़ रहा है।", "एक कुत्ता समुद्र तट पर दौड़ रहा है"],
    ["Hindi with a joiner", "मुख्‍य", "मुख्‍य"],
    ["Malayalam with a joiner at the end", "അവന്‍", "അവന്‍"],
    [
      "Persian with non-joiners, two by mistake and one stray",
      "می\u200c\u200cخواهم کتاب\u200cها\u200c",
      "می\u200cخواهم کتاب\u200cها",
    ],
    ["Latin letters with a stray non-joiner", "Auf\u200clage", "auflage"],
    ["Arabic", "كَلْبٌ يركض على الشاطئ، قطة؟", "كَلْبٌ يركض على الشاطئ قطة"],
    ["Arabic in presentation forms", "ﻛﻠﺐ", "كلب"],
    ["Hebrew with marks of direction", "\u200fשלום\u200e צה״ל ג׳ירפה", "שלום צהל גירפה"],
    ["Latin letters with marks that have no composed form", "cn̄ẍa\u0331b\u0303 m̃", "cn̄ẍa\u0331b\u0303 m̃"],
    ["Korean", "개가 해변에서", "개가 해변에서"],
    ["Vietnamese, decomposed", "một con chó".normalize("NFD"), "một con chó"],
    ["Adlam, beyond U+FFFF", "𞤀𞤣𞤤𞤢𞤥", "𞤢𞤣𞤤𞤢𞤥"],
    ["Chinese", "一只狗在海滩上奔跑。3只狗,两只猫", "一只 狗 在 海滩 上 奔跑 只 狗 两 只 猫"],
    ["Chinese with a Latin letter", "穿T恤的男人", "穿 t恤 的 男人"],
    ["Japanese", "犬がビーチを走る。Tシャツを着た", "犬 が ビーチ を 走る tシャツ を 着 た"],
    ["Thai with a digit between", "สุนัข2ตัววิ่งบนชายหาด", "สุนัข ตัว วิ่ง บน ชายหาด"],
    ["Khmer", "ឆ្កែកំពុងរត់", "ឆ្កែ កំពុង រត់"],
  ])("of %s", (_, text, words) => {
    expect(cleanCaption(text, "natural").join(" ")).toBe(words);
  });

  test("and finds the same words in what it made", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
        const words = cleanCaption(text, "natural");
        expect(words.flatMap((word) => cleanCaption(word, "natural"))).toEqual(words);
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

test.each([
  ["natural", "8 men on 2x4s, m² and ٣", ["8 digits", "2x4s digits", "m one letter", "² digits", "٣ digits"]],
  ["natural", "A man 's hat & — … x ❤️", ["s one letter", "x one letter", "❤ other signs"]],
  ["natural", "एक कुत्ता — 一只狗。", []],
  ["tutorial", "A dog’s ball, कुत्ता — 5", ["a one letter", "dog’s other signs", "कुत्ता other signs", "5 digits"]],
] as const)("the %s cleaning of %s names the words that it leaves out", (cleaning, text, dropped) => {
  expect(readCaption(text, cleaning).dropped.map(({ word, reason }) => `${word} ${reason}`)).toEqual(dropped);
});

test.each([
  ["1000268201_693b08cb0e.jpg", "1000268201_693b08cb0e"],
  ["1000268201_693b08cb0e.jpg#0", "1000268201_693b08cb0e"],
  ["holiday.final.jpeg", "holiday"],
  ["2258277193_586949ec62.jpg.1#3", "2258277193_586949ec62"],
  ["no-dot", "no-dot"],
  [".hidden", ""],
])("the image id of %s is %s", (fileName, id) => {
  expect(imageIdOf(fileName)).toBe(id);
});
