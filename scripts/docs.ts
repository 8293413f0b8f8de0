import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { runProgram } from "../terminal/run-program.ts";
import { allTables, pagesWithTables } from "./docs/all-tables.ts";
import { changedTables, fillTables } from "./docs/fill-tables.ts";
import { repository } from "./repository.ts";

/** `npm run docs`. Exit codes: 0 all tables are as they should be, 1 one is not (with `--check`), 2 wrong usage. */
const program = new Command("npm run docs --")
  .description("Brings the tables in README.md, docs/ and the model card up to date with the results in docs/results.")
  .option("--check", "write nothing; fail where a table is not what its results make it", false)
  .exitOverride()
  .action(async ({ check }: { check: boolean }) => {
    const tables = await allTables();
    for (const page of await pagesWithTables()) {
      const path = join(repository, page);
      const before = await readFile(path, "utf8");
      const after = fillTables(before, tables);
      if (after === before) continue;
      const names = changedTables(before, after).join(", ");
      if (check) process.exitCode = 1;
      else await writeFile(path, after);
      console.log(check ? `${page}: not up to date: ${names}; npm run docs writes it` : `${page}: wrote ${names}`);
    }
  });

await runProgram(program);
