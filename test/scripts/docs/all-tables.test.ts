import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allTables, pagesWithTables } from "../../../scripts/docs/all-tables.ts";
import { benchTables } from "../../../scripts/docs/bench-tables.ts";
import { changedTables, fillTables } from "../../../scripts/docs/tables.ts";
import { repository } from "../../../scripts/repository.ts";
import { chaosCommand } from "../../endurance/chaos/command.ts";
import { loadCommand } from "../../endurance/load/command.ts";

const pages = await pagesWithTables();
const textOf = (page: string) => readFileSync(join(repository, page), "utf8");

describe("tables of measured figures", () => {
  test("are what their results make them: npm run docs brings them up to date", async () => {
    const tables = await allTables();
    for (const page of pages) expect(changedTables(textOf(page), fillTables(textOf(page), tables)), page).toEqual([]);
  });

  test("stand on some page, each of them", async () => {
    const text = pages.map(textOf).join("\n");
    const names = [...(await allTables()).keys()];
    expect(names.filter((name) => !text.includes(`<!-- table: ${name} -->`))).toEqual([]);
  });

  test("and their files are told of beside them", () => {
    const files = readdirSync(join(repository, "docs/results")).filter((name) => name.endsWith(".json"));
    const text = textOf("docs/results/README.md");
    expect(files.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

test("a bench that a table shows and the results lack is asked for by name", () => {
  expect(() => benchTables({ machine: "one", date: "2026-11-27", results: [] })).toThrow(
    "expected the bench service-throughput-int8 in docs/results/bench.json, found none",
  );
});

describe("--record", () => {
  const unexpected = () => Promise.reject(new Error("it ran"));
  const quiet = { writeErr: () => undefined };

  test.each([
    ["load", ["new", "--record"], "takes all loads, without names, or the soak alone"],
    ["load", ["soak", "new", "--record"], "takes all loads, without names, or the soak alone"],
    ["load", ["--tiny", "--record"], "cannot be used with option '--tiny'"],
    ["chaos", ["--tiny", "--record"], "cannot be used with option '--tiny'"],
  ])("of %s refuses %s", async (name, args, message) => {
    const command = (name === "load" ? loadCommand(unexpected) : chaosCommand(unexpected)).configureOutput(quiet);
    await expect(command.parseAsync(args, { from: "user" })).rejects.toThrow(message);
  });

  test.each([[[]], [["soak"]]])("of load takes %j", async (names) => {
    let isRecorded = false;
    const command = loadCommand(async ({ record }) => {
      isRecorded = record;
    });
    await command.parseAsync([...names, "--record"], { from: "user" });
    expect(isRecorded).toBe(true);
  });
});
