import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createCaptioner } from "../cli/create-captioner.ts";
import { repository } from "../scripts/repository.ts";

const folder = join(repository, "samples");
const names = readdirSync(folder).filter((name) => name.endsWith(".jpg"));
const sources = readFileSync(join(folder, "SOURCES.md"), "utf8");
const rows = [...sources.matchAll(/^\| `([\w-]+\.jpg)` \| [^|]+ \| ([^|]+) \|/gm)];
const captions = new Map(rows.map(([, name = "", caption = ""]) => [name, caption]));

test("every sample has a row with its source, is small, and is a button of the page", () => {
  expect([...captions.keys()].sort()).toEqual(names.toSorted());
  for (const name of names) expect(statSync(join(folder, name)).size, name).toBeLessThanOrEqual(150_000);
  const page = readFileSync(join(repository, "edge/page/index.html"), "utf8");
  const shown = [...page.matchAll(/src="\/samples\/([^"]+)"/g)].map(([, name = ""]) => name);
  expect(shown.sort()).toEqual(names.toSorted());
});

test.each(["float32", "int8"] as const)(
  "the shipped model says of each sample what its row says, in %s",
  async (precision) => {
    const captioner = await createCaptioner({ precision });
    const said = new Map<string, string>();
    for (const name of names) said.set(name, (await captioner.caption(join(folder, name))).caption);
    await captioner.close();
    expect(said).toEqual(captions);
  },
);
