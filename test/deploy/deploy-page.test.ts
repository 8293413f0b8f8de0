import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { repository } from "../../scripts/repository.ts";
import { readDeployed } from "./manifests.ts";

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(repository, "package.json"), "utf8")));

/** Made by whoever follows the page. */
const made = ["deploy/.env"];

describe.each(["docs/deploy.md", "docs/scaling.md"])("%s", (page) => {
  const text = readFileSync(join(repository, page), "utf8");

  test("names files and commands that there are", () => {
    const paths = new Set(text.match(/\bdeploy\/[\w./-]*[\w]/g));
    expect([...paths].filter((path) => !made.includes(path) && !existsSync(join(repository, path)))).toEqual([]);
    const commands = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = ""]) => name);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
    expect(commands.length).toBeGreaterThan(0);
  });

  test("links to pages and headings that there are", () => {
    const links = [...text.matchAll(/\]\((?!https:)([\w./-]*)(?:#([\w-]+))?\)/g)];
    for (const [link, path = "", anchor] of links) {
      const target = path === "" ? join(repository, page) : join(repository, dirname(page), path);
      expect(existsSync(target), link).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(readFileSync(target, "utf8")), link).toContain(anchor);
    }
    expect(links.length).toBeGreaterThan(0);
  });
});

test("the secrets that the page has people make are those that the manifests read", () => {
  const text = readFileSync(join(repository, "docs/deploy.md"), "utf8");
  const [, name, key] =
    /name: (edge-caption)\n\s+key: (\w+)/.exec(readDeployed("kubernetes/base/deployment.yaml")) ?? [];
  const [, inCloudRun] = /secretKeyRef:\n\s+name: (\S+)/.exec(readDeployed("cloud-run.yaml")) ?? [];

  expect(text).toContain(`kubectl create secret generic ${name} --from-file=${key}=service-secret\``);
  expect(text).toContain(`gcloud secrets create ${inCloudRun} --data-file=service-secret\n`);
});

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
}
