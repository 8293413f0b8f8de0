import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { OpenPage } from "../browser.ts";
import { choose, freshPhotos, untilEnded, uploads, watchRequests } from "../page-actions.ts";

/** What is done with captions once they are there. */
export function captionsAreUsed(open: OpenPage): void {
  describe("what is done with captions", () => {
    test("copies text and HTML, and downloads all as CSV that no spreadsheet runs", async () => {
      const page = await open({ permissions: ["clipboard-read", "clipboard-write"] });
      const [photo] = await freshPhotos(1);
      if (photo === undefined) throw new Error("no photo was made");
      await choose(page, [{ ...photo, name: '=1+"1".jpg' }]);
      await untilEnded(page, 1);
      const caption = (await page.locator(".caption").innerText()).trim();
      const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
      await page.getByRole("button", { name: "Copy text" }).click();
      await expect.poll(clipboard).toBe(caption);
      await page.getByRole("button", { name: "Copy HTML" }).click();
      await expect.poll(clipboard).toBe(`<img src="=1+&quot;1&quot;.jpg" alt="${caption}">`);
      const downloading = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download CSV" }).click();
      const csv = await readFile(await (await downloading).path(), "utf8");
      expect(csv).toMatch(/^\ufefffile,caption,confidence,/);
      expect(csv).toContain(`\r\n"'=1+""1"".jpg",${caption},0.`);
    });

    test("keeps them in this browser until they are cleared", async () => {
      const page = await open();
      await choose(page, await freshPhotos(2));
      await untilEnded(page, 2);
      const captions = await page.locator(".caption").allInnerTexts();
      await page.reload();
      await page.locator(".card").nth(1).waitFor();
      expect(await page.locator(".caption").allInnerTexts()).toEqual(captions);
      expect(await page.locator(".picture img").count()).toBe(2);
      await page.getByRole("button", { name: "Clear all" }).click();
      await page.reload();
      await page.getByRole("button", { name: "Try a cat" }).waitFor();
      expect(await page.locator(".card").count()).toBe(0);
    });

    test("shows as many captions as are asked for, with a number for every word", async () => {
      const page = await open();
      const seen = watchRequests(page);
      await page.getByLabel("Captions a photo").selectOption("4");
      await choose(page, await freshPhotos(1));
      await untilEnded(page, 1);
      expect(uploads(seen)[0]?.url()).toContain("beam=4&candidates=4");
      await page.getByText("3 more captions, word by word").click();
      expect(await page.locator(".others li").count()).toBe(3);
      const words = await page.locator(".word-list li").allInnerTexts();
      expect(words.length).toBeGreaterThan(1);
      for (const word of words) expect(word).toMatch(/^\S.*\s\d+\s%$/s);
    });
  });
}
