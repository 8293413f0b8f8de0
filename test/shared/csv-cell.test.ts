import fc from "fast-check";
import { expect, test } from "vitest";
import { disarmFormulas, rearmFormulas } from "../../shared/csv-cell.ts";

test.each([
  ["=cmd|'x'!A0", "'=cmd|'x'!A0"],
  ["+1", "'+1"],
  ["-1+1", "'-1+1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["＝1+1", "'＝1+1"],
  ["\t=1", "'\t'=1"],
  ["  =1", "'  =1"],
  ["'=1", "''=1"],
  ["a dog;=1", "a dog;'=1"],
  ["two\n=1", "two\n'=1"],
  ["a dog - a cat = 2; it's", "a dog - a cat = 2; it's"],
  ["'tis a dog", "'tis a dog"],
])("writes the cell %j as %j", (text, cell) => {
  expect(disarmFormulas(text)).toBe(cell);
  expect(rearmFormulas(cell)).toBe(text);
});

test("leaves no place at which a formula could begin, and gives every text back", () => {
  const characters = fc.constantFrom(..."=+-@＝'\t\r\n; ,ab\"");
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
      const cell = disarmFormulas(text);
      expect(cell).not.toMatch(/(^|[;\t\r\n])\s*[=+\-@＝]/);
      expect(rearmFormulas(cell)).toBe(text);
    }),
    { numRuns: 2000 },
  );
});
