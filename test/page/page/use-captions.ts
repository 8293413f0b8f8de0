import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { photoPath } from "../../fixtures/real-photos.ts";
import type { OpenPage } from "../browser.ts";
import { card, choose, freshPhotos, jpeg, listen, untilEnded, uploads, watchRequests } from "../page-actions.ts";

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

    test("takes another candidate or the visitor's own words instead, over a reload too", async () => {
      const page = await open({ permissions: ["clipboard-read", "clipboard-write"] });
      const heard = await listen(page);
      await choose(page, await freshPhotos(3));
      await untilEnded(page, 3);
      const [chosen, written, cancelled] = [1, 2, 3].map((number) => card(page, `photo ${number}.jpg`));
      if (chosen === undefined || written === undefined || cancelled === undefined) throw new Error("expected cards");
      const textOf = async (photo: typeof chosen) => (await photo.locator(".caption").innerText()).trim();
      const [best, before] = [await textOf(chosen), await textOf(cancelled)];
      const other = await chosen.locator(".other .text").first().innerText();
      await chosen.locator(".other").first().click();
      expect(await textOf(chosen)).toBe(other);
      expect(await chosen.locator(".other .text").first().innerText()).toBe(best);
      await expect.poll(heard).toContain(`photo 1.jpg: ${other}`);

      await cancelled.locator(".caption").click();
      await page.keyboard.type(" that nobody wants");
      await page.keyboard.press("Escape");
      expect(await textOf(cancelled)).toBe(before);
      await written.locator(".caption").click();
      await page.getByLabel("Caption of photo 2.jpg").fill('  a "cup"\n of coffee ');
      await page.locator("footer").click(); // leaving it saves
      expect(await textOf(written)).toBe('a "cup" of coffee');
      await page.reload();
      await page.locator(".card").nth(2).waitFor();
      expect([await textOf(chosen), await textOf(written)]).toEqual([other, 'a "cup" of coffee']);

      const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
      await written.getByRole("button", { name: "Copy text" }).click();
      await expect.poll(clipboard).toBe('a "cup" of coffee');
      await written.getByRole("button", { name: "Copy HTML" }).click();
      await expect.poll(clipboard).toBe('<img src="photo 2.jpg" alt="a &quot;cup&quot; of coffee">');
      const downloading = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download CSV" }).click();
      const csv = await readFile(await (await downloading).path(), "utf8");
      expect(csv).toContain(`photo 1.jpg,${other},0.`);
      expect(csv).toMatch(/\r\nphoto 2\.jpg,"a ""cup"" of coffee",,.*,yes,/);

      await written.getByRole("button", { name: "Undo" }).click();
      await chosen.locator(".caption").click();
      await page.getByLabel("Caption of photo 1.jpg").fill("");
      await chosen.getByRole("button", { name: "Save" }).click();
      expect(await textOf(chosen)).toBe(best);
      expect(await page.getByRole("button", { name: "Undo" }).count()).toBe(0);
      await page.reload();
      await page.locator(".card").nth(2).waitFor();
      expect(await textOf(chosen)).toBe(best);
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
      await page.getByRole("button", { name: "Try a pizza" }).waitFor();
      expect(await page.locator(".card").count()).toBe(0);
    });

    test("shows as many captions as are asked for, with a number for every word", async () => {
      const page = await open();
      const seen = watchRequests(page);
      await page.getByText("Options", { exact: true }).click();
      await page.getByLabel("Captions per photo").selectOption("4");
      await choose(page, await freshPhotos(1));
      await untilEnded(page, 1);
      expect(uploads(seen)[0]?.url()).toContain("beam=4&candidates=4");
      expect(await page.locator(".other").count()).toBe(3);
      await page.getByText("Details").click();
      const words = await page.locator(".word-list li").allInnerTexts();
      expect(words.length).toBeGreaterThan(1);
      for (const word of words) expect(word).toMatch(/^\S.*\s\d+\s%$/s);
    });

    test("asks for sentences, neutral words, a length and keywords, which are copied and downloaded too", async () => {
      const page = await open({ permissions: ["clipboard-read", "clipboard-write"] });
      const seen = watchRequests(page);
      await page.getByText("Options", { exact: true }).click();
      for (const name of ["As a sentence", "Neutral words", "Keywords"]) await page.getByLabel(name).check();
      await page.getByLabel("Length").selectOption("at most 8 words");
      await page.reload();
      await choose(page, [jpeg("coffee.jpg", await readFile(photoPath("coffee")))]);
      await untilEnded(page, 1);
      expect(uploads(seen)[0]?.url()).toMatch(
        /\?beam=3&candidates=3&maxWords=8&style=sentence&neutral=true&keywords=true$/,
      );
      const captions = [page.locator(".caption"), page.locator(".other .text").first()];
      for (const caption of captions) expect(await caption.innerText()).toMatch(/^[A-Z].*\w\.$/);
      expect(await page.locator(".word").first().innerText()).toMatch(/^[A-Z]/);

      const chips = await page
        .getByRole("list", { name: "Keywords of coffee.jpg" })
        .getByRole("listitem")
        .allInnerTexts();
      expect(chips.length).toBeGreaterThan(1);
      for (const chip of chips) expect(chip).toMatch(/^[a-z]+\s*\d+\s%$/);
      const keywords = chips.map((chip) => /^[a-z]+/.exec(chip)?.[0]);
      await page.getByRole("button", { name: "Copy the keywords of coffee.jpg" }).click();
      await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(keywords.join(", "));
      const downloading = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download CSV" }).click();
      const csv = await readFile(await (await downloading).path(), "utf8");
      expect(csv).toContain(`,${keywords.join(" | ")},`);
      await page.getByText("Details").click();
      expect(await page.locator(".more").innerText()).toContain(
        "beam 3, at most about 8 words, as a sentence, neutral words",
      );
    });
  });
}
