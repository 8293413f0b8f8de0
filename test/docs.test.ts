import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { repository } from "../scripts/repository.ts";
import { tools } from "../scripts/tools.ts";
import { pizzaCaption, pizzaConfidence, pizzaPath } from "./fixtures/real-photos.ts";

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
    const inText = [...text.matchAll(/\]\((?!https:|\.\.\/\.\.\/actions\/)([\w./-]*)(?:#([^)]+))?\)/g)];
    const atEnds = [...text.matchAll(/^\[\w+\]: (?!https:)([\w./-]*)(?:#(.+))?$/gm)];
    for (const [link, path = "", anchor] of [...inText, ...atEnds]) {
      const target = path === "" ? join(repository, page) : join(repository, dirname(page), path);
      expect(existsSync(target), link).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(readFileSync(target, "utf8")), link).toContain(anchor);
    }
  });
});

describe("README.md", () => {
  const text = readFileSync(join(repository, "README.md"), "utf8");

  test("is read in two minutes: at most 120 lines of at most 120 characters", () => {
    const lines = text.trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(120);
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });

  test("shows the answer that its sample gets, as docs/http.md does in full", () => {
    const digest = createHash("sha256").update(readFileSync(pizzaPath)).digest("hex");
    expect(text).toContain(`"id": "sha256:${digest.slice(0, 12)}…", "caption": "${pizzaCaption}"`);
    expect(text).toContain(`"confidence": ${pizzaConfidence.toFixed(2)},`);
    const whole = readFileSync(join(repository, "docs/http.md"), "utf8");
    expect(whole).toContain(`"id": "sha256:${digest}",`);
    expect(whole).toContain(`"caption": "${pizzaCaption}",\n  "confidence": ${pizzaConfidence},`);
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
      .replaceAll(/[^\p{L}\p{N}_\s-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
