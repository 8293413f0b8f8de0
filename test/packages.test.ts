import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as z from "zod";

const repository = fileURLToPath(new URL("..", import.meta.url));
const folders = [".", "captioner", "cli", "edge", "files", "gpu-service", "pages", "shared", "terminal", "training"];

const versionsSchema = z.record(z.string(), z.string()).default({});
const packageSchema = z.object({
  dependencies: versionsSchema,
  devDependencies: versionsSchema,
  optionalDependencies: versionsSchema,
});
const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ integrity: z.string().optional(), link: z.boolean().optional() })),
});

const read = (path: string): unknown => JSON.parse(readFileSync(`${repository}/${path}`, "utf8"));

test("no package runs a script when it is installed", () => {
  const value = execFileSync("npm", ["config", "get", "ignore-scripts"], { cwd: repository, encoding: "utf8" });
  expect(value.trim()).toBe("true");
});

test.each(folders)("versions are exact: %s", (folder) => {
  const { dependencies, devDependencies, optionalDependencies } = packageSchema.parse(read(`${folder}/package.json`));
  const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test("every package of the lock file has a hash", () => {
  const packages = Object.entries(lockSchema.parse(read("package-lock.json")).packages);
  const fetched = packages.filter(([path, { link }]) => path.includes("node_modules/") && !link);
  expect(fetched.length).toBeGreaterThan(100);
  expect(fetched.filter(([, { integrity = "" }]) => !integrity.startsWith("sha512-"))).toEqual([]);
});
