import { existsSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCsv } from "../../files/read-csv.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { chromiumPath } from "../fixtures/chromium.ts";
import { madeImage } from "../fixtures/made-images.ts";
import { photoNames, photoPath } from "../fixtures/real-photos.ts";
import { captionTiny, edgeCaptionIn } from "./run-command.ts";

const hostile = `"><script>document.title = 'broken in'</script>\n&amp; .jpg`;

async function folderWithGallery(): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of photoNames) await copyFile(photoPath(name), join(folder, `${name}.jpg`));
  await writeFile(join(folder, hostile.replaceAll("/", "")), await madeImage("jpeg"));
  await captionTiny(folder, ".", "--html", "gallery.html", "--candidates", "2");
  return folder;
}

describe.skipIf(chromiumPath === undefined)("the gallery in a browser (needs Chromium)", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath ?? "", args: ["--no-sandbox"] });
  });
  afterAll(() => browser?.close());

  test("shows every photo, keeps corrections over a reload, and gives a table that apply writes", async () => {
    const folder = await folderWithGallery();
    const page = await browser.newPage();
    const errors: unknown[] = [];
    const requests: string[] = [];
    page.on("pageerror", (error) => errors.push(error));
    page.on("request", (request) => requests.push(request.url().slice(0, 5)));
    await page.goto(pathToFileURL(join(folder, "gallery.html")).href);
    expect(await page.locator(".card").count()).toBe(5);
    const widths = await page
      .locator(".card img")
      .evaluateAll((images: { naturalWidth: number }[]) => images.map((image) => image.naturalWidth));
    expect(widths.every((width) => width > 0)).toBe(true);

    const coffee = page.getByLabel("Caption of coffee.jpg");
    await coffee.fill('a cup of "coffee", on a table');
    await page.getByLabel("Caption of rocket.jpg").fill("nothing like it");
    await page.getByLabel("Caption of rocket.jpg").press("Escape");
    const chelsea = page.locator(".card", { has: page.getByLabel("Caption of chelsea.jpg") });
    const other = await chelsea.locator(".other").first().textContent();
    await chelsea.locator(".other").first().click();
    await page.getByLabel("Caption of astronaut.jpg").fill("");
    await page.reload();
    expect(await coffee.inputValue()).toBe('a cup of "coffee", on a table');
    expect(await page.locator("#count").textContent()).toBe("5 photos, 3 corrected");
    await page.getByLabel("Corrected", { exact: true }).check();
    expect(await page.locator(".card:visible").count()).toBe(3);
    await page.getByLabel("Search captions and names").fill("coffee");
    expect(await page.locator(".card:visible").count()).toBe(1);

    const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("Download CSV").click()]);
    await download.saveAs(join(folder, "corrected.csv"));
    expect(await page.title()).not.toBe("broken in");
    expect(errors).toEqual([]);
    expect(requests.filter((scheme) => scheme !== "file:" && scheme !== "data:")).toEqual([]);
    await page.close();

    const { rows } = await readCsv(join(folder, "corrected.csv"), { needs: ["path", "caption", "id"] });
    expect(rows).toHaveLength(5);
    const applied = await edgeCaptionIn(folder, "apply", "corrected.csv", "--txt");
    expect(applied).toMatchObject({ code: 0, stderr: expect.stringContaining("2 applied, 3 left as they were") });
    expect(await readFile(join(folder, "coffee.txt"), "utf8")).toBe('a cup of "coffee", on a table\n');
    expect(await readFile(join(folder, "chelsea.txt"), "utf8")).toBe(`${other}\n`);

    await captionTiny(folder, ".", "--csv", "a.csv", "--txt", "--candidates", "2");
    expect(await readFile(join(folder, "coffee.txt"), "utf8")).toBe('a cup of "coffee", on a table\n');
    expect(await readFile(join(folder, "a.csv"), "utf8")).toContain('coffee.jpg,"a cup of ""coffee"", on a table",');
    expect(existsSync(join(folder, "astronaut.txt"))).toBe(false);
  });
});

test("a second gallery takes the pictures of the first one, and is the same", async () => {
  const folder = await folderWithGallery();
  const first = await readFile(join(folder, "gallery.html"), "utf8");
  await captionTiny(folder, ".", "--html", "gallery.html", "--candidates", "2");
  expect(await readFile(join(folder, "gallery.html"), "utf8")).toBe(first);
});

describe("apply", () => {
  test("writes no caption to another photo, and reports what a table lacks", async () => {
    const folder = await temporaryFolder();
    await copyFile(photoPath("coffee"), join(folder, "coffee.jpg"));
    await writeFile(
      join(folder, "a.csv"),
      `path;caption;id\ncoffee.jpg;a cup;content:${"0".repeat(64)}\nnone.jpg;x;\n`,
    );
    const { code, stderr } = await edgeCaptionIn(folder, "apply", "a.csv", "--txt");
    expect(code).toBe(1);
    expect(stderr).toMatch(/coffee\.jpg: expected the photo content:0+, found content:/);
    expect(stderr).toContain("none.jpg: there is no such file");
    await writeFile(join(folder, "b.csv"), "file,text\n");
    expect((await edgeCaptionIn(folder, "apply", "b.csv", "--txt")).stderr).toContain(
      "expected the columns path, caption, found file, text",
    );
    expect(await edgeCaptionIn(folder, "apply", "a.csv")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("expected --txt, --xmp or --embed"),
    });
  });
});

describe("status", () => {
  test("reports how many photos are captioned, and the paths of the others", async () => {
    const folder = await temporaryFolder();
    for (const name of photoNames) await copyFile(photoPath(name), join(folder, `${name}.jpg`));
    await captionTiny(folder, ".", "--csv", "a.csv", "--limit", "3");
    const tiny = ["--model-dir", join(import.meta.dirname, "../fixtures/tiny-bundle")];
    const { stdout, code } = await edgeCaptionIn(folder, "status", ...tiny);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^3 of 4 photos captioned \(75 %\)\n {2}mean confidence 0\.\d\d\n {2}1 without a caption\n/);
    expect((await edgeCaptionIn(folder, "status", ...tiny, "--missing")).stdout).toBe("rocket.jpg\n");
    const { stdout: json } = await edgeCaptionIn(folder, "status", "--json");
    expect(JSON.parse(json)).toMatchObject({ photos: 4, captioned: 0, older: 3, missing: 1, failed: 0 });
  });
});
