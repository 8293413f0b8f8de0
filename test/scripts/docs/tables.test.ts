import { describe, expect, test } from "vitest";
import { changedTables, fillTables } from "../../../scripts/docs/tables.ts";

const tables = new Map([
  ["scores", "| a |\n|---|\n| 1 |"],
  ["load", "| b |\n|---|\n| $& |"],
]);

function page(scores: string, load: string): string {
  return `# Page\n\n<!-- table: scores -->\n${scores}<!-- /table -->\n\ntext\n\n<!-- table: load -->\n${load}<!-- /table -->\n`;
}

const filled = page("\n| a |\n|---|\n| 1 |\n\n", "\n| b |\n|---|\n| $& |\n\n");

test.each([
  ["empty regions", page("", "")],
  ["other tables", page("\n| a |\n|---|\n| 2 |\n\n", "| old |\n")],
  ["its own tables", filled],
])("puts tables between their marks, in the place of %s", (_, text) => {
  expect(fillTables(text, tables)).toBe(filled);
});

test("leaves a page without marks as it is", () => {
  expect(fillTables("# Page\n\n| a |\n|---|\n| 2 |\n", tables)).toBe("# Page\n\n| a |\n|---|\n| 2 |\n");
});

test("names the tables that were changed", () => {
  const stale = page("\n| a |\n|---|\n| 2 |\n\n", "\n| b |\n|---|\n| $& |\n\n");
  expect(changedTables(stale, fillTables(stale, tables))).toEqual(["scores"]);
});

describe("refuses", () => {
  test.each([
    ["a mark without an end", "<!-- table: scores -->\n\n| a |\n"],
    ["an end without a mark", "<!-- /table -->\n"],
    ["a mark inside another", "<!-- table: scores -->\n<!-- table: load -->\n<!-- /table -->\n"],
  ])("%s", (_, text) => {
    expect(() => fillTables(text, tables)).toThrow("expected each <!-- table: name --> to be followed by its");
  });

  test("a name that no table has", () => {
    expect(() => fillTables("<!-- table: speed -->\n<!-- /table -->\n", tables)).toThrow(
      "expected one of the tables scores, load, found speed",
    );
  });
});
