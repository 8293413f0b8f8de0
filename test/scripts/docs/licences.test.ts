import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { describeLicences, listLicences } from "../../../scripts/docs/licences.ts";

const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), "utf8");
const lock = (packages: Record<string, object>) => JSON.stringify({ packages });

test("every production dependency has a licence that was allowed, and docs/licences.md lists it", async () => {
  const page = describeLicences(listLicences(await read("package-lock.json")));
  expect(await read("docs/licences.md"), "npm run docs brings it up to date").toBe(page);
});

describe("a lock file's licences", () => {
  test("are told by package, whatever folder it stands in, without tools and workspaces", () => {
    const groups = listLicences(
      lock({
        "": {},
        edge: { license: "Apache-2.0" },
        "node_modules/edge": { link: true },
        "node_modules/b": { license: "MIT" },
        "node_modules/b/node_modules/@c/a": { license: "MIT", optional: true },
        "node_modules/gpl-tool": { license: "GPL-3.0", dev: true },
      }),
    );
    expect(groups).toEqual([{ licence: "MIT", reason: expect.stringContaining("notice"), packages: ["@c/a", "b"] }]);
  });

  test.each([
    ["one that nobody allowed", { "node_modules/a": { license: "AGPL-3.0" } }, "a: AGPL-3.0"],
    ["none", { "node_modules/a": {} }, "a: none"],
    ["one that is allowed for another package alone", { "node_modules/a": { license: "LGPL-3.0" } }, "a: LGPL-3.0"],
    [
      "a new one where an exception is made",
      { "node_modules/libheif-js": { license: "GPL-2.0" } },
      "libheif-js: GPL-2.0",
    ],
  ])("are refused where a package has %s", (_, packages, named) => {
    expect(() => listLicences(lock(packages))).toThrow(`received ${named}`);
  });
});
