import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { runProgram } from "../terminal/run-program.ts";
import { describeLicences, listLicences } from "./licences/list-licences.ts";

const page = new URL("../docs/licences.md", import.meta.url);

/** `npm run licences`. */
const program = new Command("npm run licences --")
  .description("Lists the licences of the production dependencies; fails where one has a licence that nobody allowed.")
  .option("--write", "into docs/licences.md", false)
  .exitOverride()
  .action(async ({ write }: { write: boolean }) => {
    const groups = listLicences(await readFile(new URL("../package-lock.json", import.meta.url), "utf8"));
    if (write) await writeFile(page, describeLicences(groups));
    for (const { licence, packages } of groups)
      process.stdout.write(`${packages.length} ${licence}: ${packages.join(" ")}\n`);
  });

await runProgram(program);
