import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import * as z from "zod";
import { repository } from "../../scripts/repository.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";

const { name, exports } = z
  .object({ name: z.string(), exports: z.record(z.string(), z.string()) })
  .parse(JSON.parse(await readFile(join(repository, "package.json"), "utf8")));

test("the API reference has a page for each entry of the package and for all that it exports, each documented", {
  timeout: 300_000,
}, async () => {
  const folder = await temporaryFolder();
  const args = ["--import", "tsx", "scripts/tool.ts", "api-reference", "--out", folder];
  await promisify(execFile)(process.execPath, args, { cwd: repository }); // fails if something public has no comment
  const pages = await readdir(folder, { recursive: true });
  for (const [path, source] of Object.entries(exports)) {
    const module = join(name, path).replaceAll("/", "_");
    expect(pages).toContain(`modules/${module}.html`);
    const values = Object.keys(await import(join(repository, source)));
    expect(values).not.toEqual([]);
    for (const value of values) expect(pages.join("\n")).toContain(`/${module}.${value}.html`);
  }
  const result = await readFile(join(folder, "interfaces/edge-caption_client.CaptionResult.html"), "utf8");
  expect(result).toMatch(/The best candidate(?:'|&#39;)s\./); // of a property's `.describe()`
  expect(result).toContain("calibration where it has one."); // of a schema that a property names
});
