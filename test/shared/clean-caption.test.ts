import { describe, expect, test } from "vitest";
import { cleanCaption, imageIdOf } from "../../shared/clean-caption.ts";

interface Row {
  text: string;
  tutorial: string;
  natural: string;
}

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
  { text: "é 日 𠀀 𠀀𠀁", tutorial: "𠀀𠀁", natural: "𠀀𠀁" },
  { text: "“quoted” dog… – no", tutorial: "no", natural: "no" },
  { text: "", tutorial: "", natural: "" },
  { text: ". , !", tutorial: "", natural: "" },
];

describe.each(["tutorial", "natural"] as const)("the %s cleaning", (cleaning) => {
  test.each(rows)("of $text", (row) => {
    expect(cleanCaption(row.text, cleaning).join(" ")).toBe(row[cleaning]);
  });

  test("strips every ASCII punctuation mark from inside a token and leaves other marks to spoil it", () => {
    const marks = [..."!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"];
    expect(marks).toHaveLength(32);
    for (const mark of marks) expect(cleanCaption(`do${mark}g`, cleaning)).toEqual(["dog"]);
    for (const mark of ["’", "–", "…", "½", "\u0301"]) expect(cleanCaption(`do${mark}g`, cleaning)).toEqual([]);
  });
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
