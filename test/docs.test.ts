import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { repository } from "../scripts/repository.ts";
import { tools } from "../scripts/tools.ts";

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(repository, "package.json"), "utf8")));

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...readdirSync(join(repository, "docs"), { encoding: "utf8", recursive: true }).flatMap(pageOf),
];

/** Paths that nobody commits: made by whoever follows a page. */
const made = ["deploy/.env"];
const sourcePath =
  /(?<![\w@/.-])(?:bench|captioner|cli|deploy|docs|edge|examples|files|gpu-service|models|samples|scripts|shared|terminal|test|training)\/[\w./-]*\w/g;

describe.each(pages)("%s", (page) => {
  const text = readFileSync(join(repository, page), "utf8");

  test("names files and commands that there are", () => {
    const paths = new Set(text.match(sourcePath));
    expect([...paths].filter((path) => !made.includes(path) && !existsSync(join(repository, path)))).toEqual([]);
    const commands = [...text.matchAll(/npm run (?:-\S+ )*([\w:-]+)/g)].map(([, name = ""]) => name);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
    const toolNames = [...text.matchAll(/npm run tool -- ([\w-]+)/g)].map(([, name = ""]) => name);
    expect(toolNames.filter((name) => !(name in tools))).toEqual([]);
  });

  test("shows pictures that there are", () => {
    const pictures = [...text.matchAll(/(?:src|srcset)="([\w./-]+\.png)"/g)].map(([, path = ""]) => path);
    expect(pictures.filter((path) => !existsSync(join(repository, dirname(page), path)))).toEqual([]);
  });

  test("links to pages and headings that there are", () => {
    const links = [...text.matchAll(/\]\((?!https:)([\w./-]*)(?:#([\w-]+))?\)/g)];
    for (const [link, path = "", anchor] of links) {
      const target = path === "" ? join(repository, page) : join(repository, dirname(page), path);
      expect(existsSync(target), link).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(readFileSync(target, "utf8")), link).toContain(anchor);
    }
  });
});

function pageOf(name: string): string[] {
  return name.endsWith(".md") ? [`docs/${name}`] : [];
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
}
