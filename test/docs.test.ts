import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { repository } from "../scripts/repository.ts";

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
  /(?<![\w@/.-])(?:bench|captioner|cli|deploy|docs|edge|files|gpu-service|models|scripts|shared|terminal|test|training)\/[\w./-]*\w/g;

describe.each(pages)("%s", (page) => {
  const text = readFileSync(join(repository, page), "utf8");

  test("names files and commands that there are", () => {
    const paths = new Set(text.match(sourcePath));
    expect([...paths].filter((path) => !made.includes(path) && !existsSync(join(repository, path)))).toEqual([]);
    const commands = [...text.matchAll(/npm run (?:-\S+ )*([\w:-]+)/g)].map(([, name = ""]) => name);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
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

test("every script of package.json is named on some page", () => {
  const text = pages.map((page) => readFileSync(join(repository, page), "utf8")).join("\n");
  const isNamed = (name: string) => new RegExp(`npm (run )?${name}(?![\\w:])`).test(text);
  expect(Object.keys(scripts).filter((name) => !isNamed(name))).toEqual([]);
});

test("every package that something depends on stands among the decisions", () => {
  const isDecision = (page: string) => page.startsWith("docs/decisions/");
  const decisions = pages
    .filter(isDecision)
    .map((page) => readFileSync(join(repository, page), "utf8"))
    .join("\n");
  const workspaces = [".", "captioner", "cli", "edge", "files", "gpu-service", "shared", "terminal", "training"];
  const names = workspaces.flatMap((folder) =>
    Object.keys(dependenciesOf(readFileSync(join(repository, folder, "package.json"), "utf8"))),
  );
  const isType = (name: string) => name.startsWith("@types/"); // of another that is named
  const isNamed = (name: string) => new RegExp(`(?<![\\w/-])${name}(?![\\w-])`).test(decisions);
  const missing = [...new Set(names)].filter((name) => !isType(name) && !isNamed(name));
  expect(missing).toEqual([]);
});

function pageOf(name: string): string[] {
  return name.endsWith(".md") ? [`docs/${name}`] : [];
}

function dependenciesOf(manifest: string): Record<string, string> {
  const versions = z.record(z.string(), z.string()).default({});
  const schema = z.object({ dependencies: versions, devDependencies: versions, optionalDependencies: versions });
  const { dependencies, devDependencies, optionalDependencies } = schema.parse(JSON.parse(manifest));
  return { ...dependencies, ...devDependencies, ...optionalDependencies };
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
