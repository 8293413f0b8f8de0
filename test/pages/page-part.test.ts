import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { readPagePart } from "../../pages/page-part.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";

async function partOf(files: Record<string, string>, name: string): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  return readPagePart(pathToFileURL(join(folder, name))).text;
}

test("holds what the file imports, and neither types nor imports", async () => {
  const program = await partOf(
    {
      "main.ts": `import { name } from "./name.ts";\nconst text: string = name + "!";\ndocument.title = text;`,
      "name.ts": `export const name = "edge";`,
    },
    "main.ts",
  );
  expect(program).toContain("edge");
  expect(program).not.toMatch(/import|: ?string/);

  const style = await partOf(
    { "a.css": `@import "./b.css";\np { margin: 0 }`, "b.css": "h1 { margin: 1px }" },
    "a.css",
  );
  expect(style.trim()).toBe("h1{margin:1px}p{margin:0}");
});

test("ends no element that it stands in", async () => {
  expect(await partOf({ "a.ts": `document.title = "</script>";` }, "a.ts")).not.toContain("</script");
  expect(await partOf({ "a.css": `p::after { content: "</style>" }` }, "a.css")).not.toContain("</style");
});

test("is refused with the place of a mistake", async () => {
  await expect(partOf({ "a.ts": "const = 1;" }, "a.ts")).rejects.toThrow(/a\.ts:1:6: ERROR/);
});
