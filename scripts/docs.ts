import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { runProgram } from "../terminal/run-program.ts";
import { allTables, pagesWithTables } from "./docs/all-tables.ts";
import { describeLicences, listLicences } from "./docs/licences.ts";
import { changedTables, fillTables } from "./docs/tables.ts";
import { repository } from "./repository.ts";

/** `npm run docs`. Exit codes: 0 all is as it should be, 1 something is not (with `--check`) or failed, 2 wrong usage. */
const program = new Command("npm run docs --")
  .description(
    "Brings the tables in README.md, docs/ and the model card up to date with the results in docs/results, and docs/licences.md with the lock file.",
  )
  .option("--check", "write nothing; fail where a page is not up to date", false)
  .exitOverride()
  .action(async ({ check }: { check: boolean }) => {
    const tables = await allTables();
    for (const page of await pagesWithTables()) {
      const before = await read(page);
      const after = fillTables(before, tables);
      if (after !== before) await update(page, { after, names: changedTables(before, after).join(", "), check });
    }
    const licences = describeLicences(listLicences(await read("package-lock.json")));
    const page = "docs/licences.md";
    if (licences !== (await read(page))) await update(page, { after: licences, names: "licences", check });
  });

await runProgram(program);

async function update(page: string, { after, names, check }: { after: string; names: string; check: boolean }) {
  if (check) process.exitCode = 1;
  else await writeFile(join(repository, page), after);
  console.log(check ? `${page}: not up to date: ${names}; npm run docs writes it` : `${page}: wrote ${names}`);
}

function read(path: string): Promise<string> {
  return readFile(join(repository, path), "utf8");
}
