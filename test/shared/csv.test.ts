import fc from "fast-check";
import Papa from "papaparse";
import { expect, test } from "vitest";
import { csvRow, disarmFormulas, rearmFormulas } from "../../shared/csv.ts";

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

test("quotes what RFC 4180 asks for, and leaves numbers alone", () => {
  expect(csvRow(["a dog, running", 'a "dog"', " a", "a ", "two\nlines", "", -0.5])).toBe(
    '"a dog, running","a ""dog"""," a","a ","two\nlines",,-0.5\n',
  );
  expect(csvRow(["a", "=1"], { lineEnd: "\r\n" })).toBe("a,'=1\r\n");
});

test("writes rows that a reader of tables gives back", () => {
  const characters = fc.constantFrom(..."=-'\t\r\n; ,ab\"\uFEFF");
  const rowOf = fc.array(fc.string({ unit: characters, maxLength: 8 }), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(rowOf, (cells) => {
      const { data } = Papa.parse<string[]>(`-${csvRow(["", ...cells])}`, { delimiter: ",", newline: "\n" });
      expect(data[0]?.slice(1).map(rearmFormulas)).toEqual(cells);
    }),
    { numRuns: 2000 },
  );
});
