import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { textFile } from "../../fixtures/made-images.ts";
import { photoPath } from "../../fixtures/real-photos.ts";
import type { OpenPage } from "../browser.ts";
import { findBarriers } from "../browser.ts";
import { card, choose, focused, freshPhotos, jpeg, untilEnded } from "../page-actions.ts";

/** The page by keyboard, for screen readers, and on screens of any size. */
export function everybodyUsesIt(open: OpenPage): void {
  describe("for everybody", () => {
    test("is used from end to end with the keyboard alone", async () => {
      const page = await open({ permissions: ["clipboard-write"] });
      const tabTo = async (name: string) => {
        for (let presses = 0; presses < 40; presses++) {
          await page.keyboard.press("Tab");
          if ((await focused(page)).includes(name)) return;
        }
        throw new Error(`no Tab leads to ${name}`);
      };
      const choosing = page.waitForEvent("filechooser"); // asks the browser, which takes a moment
      await tabTo("choose");
      await page.keyboard.press("Enter");
      await (await choosing).setFiles(await freshPhotos(2));
      await untilEnded(page, 2);
      await tabTo("Copy text of photo 1.jpg");
      await page.keyboard.press("Enter");
      const caption = (await card(page, "photo 1.jpg").locator(".caption").innerText()).trim();
      await page.getByText(`Copied: ${caption}`).waitFor();
      await tabTo("Edit the caption of photo 1.jpg");
      await page.keyboard.press("Enter");
      await page.keyboard.type(" at noon");
      await page.keyboard.press("Enter");
      expect((await card(page, "photo 1.jpg").locator(".caption").innerText()).trim()).toBe(`${caption} at noon`);
      expect(await focused(page)).toContain("Edit the caption of photo 1.jpg");
      await page.keyboard.press("Shift+Tab"); // what lies before is reached the other way around
      expect(await focused(page)).toContain("Copy HTML of photo 1.jpg");
      await tabTo("Details of photo 1.jpg");
      await page.keyboard.press("Enter");
      expect(await card(page, "photo 1.jpg").getByText("About this answer").isVisible()).toBe(true);
      await tabTo("Remove photo 1.jpg");
      await page.keyboard.press("Enter");
      expect(await focused(page)).toContain("Remove photo 2.jpg");
      await page.keyboard.press("Enter");
      expect(await focused(page)).toBe("choose");
    });

    test("has no barriers that axe finds, in either colour", async () => {
      const page = await open();
      const findInBoth = async () => {
        const found: string[] = [];
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          found.push(...(await findBarriers(page)));
        }
        return found;
      };
      expect(await findInBoth()).toEqual([]);
      const notes = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from(textFile()) };
      await page.route("**/v1/captions?*", (route) => route.abort(), { times: 1 });
      await page.locator(".options summary").click();
      await page.getByLabel("Keywords").check();
      await choose(page, [notes, ...(await freshPhotos(3))]);
      await untilEnded(page, 4);
      await page.locator(".card[data-step=captioned] summary").first().click();
      await page.locator(".other").first().click();
      await page.locator(".caption").last().click();
      await page.context().setOffline(true);
      await choose(page, await freshPhotos(1));
      await page.getByText("Waiting for the connection").waitFor();
      expect(await findInBoth()).toEqual([]);
    });

    test("fits screens from 320 pixels on, however long the names", async () => {
      const page = await open();
      const sizes = [320, 390, 820, 1280];
      const measure = async () => {
        const widths: number[] = [];
        for (const width of sizes) {
          await page.setViewportSize({ width, height: 800 });
          widths.push(await page.evaluate(() => document.documentElement.scrollWidth));
        }
        return widths;
      };
      expect(await measure()).toEqual(sizes);
      await page.locator(".options summary").click();
      await page.getByLabel("Keywords").check();
      expect(await measure()).toEqual(sizes);
      await page.getByLabel("Photo URL").fill(`http://192.0.2.1/${"a-very-long-name-".repeat(10)}.jpg`);
      await page.keyboard.press("Enter");
      await choose(page, [jpeg("coffee.jpg", await readFile(photoPath("coffee")))]);
      await untilEnded(page, 2);
      await page.locator(".card[data-step=captioned] summary").click();
      await page.locator(".caption").click();
      await page.locator("#editor").fill("a-very-long-word-".repeat(10));
      expect(await measure()).toEqual(sizes);
      await page.keyboard.press("Enter");
      expect(await measure()).toEqual(sizes);
    });

    test("has captions above the fold of a laptop, and shows the whole of an upright photo", async () => {
      const page = await open({ viewport: { width: 1280, height: 900 } });
      const upright = await sharp(await readFile(photoPath("astronaut")))
        .resize(300, 500)
        .jpeg()
        .toBuffer();
      await choose(page, [jpeg("upright.jpg", upright), jpeg("coffee.jpg", await readFile(photoPath("coffee")))]);
      await untilEnded(page, 2);
      const fits = await page.locator(".picture img").evaluateAll((pictures) => {
        return pictures.map((picture) => getComputedStyle(picture).objectFit);
      });
      expect(fits).toEqual(["contain", "cover"]);
      for (const caption of await page.locator(".caption").all()) {
        const { y = 900, height = 0 } = (await caption.boundingBox()) ?? {};
        expect(y + height).toBeLessThan(900);
      }
    });

    test("offers the camera on a phone, and shows a photo in a third of its screen", async () => {
      const page = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
      const taking = page.waitForEvent("filechooser");
      await page.getByText("Take a photo").tap();
      const [photo] = await freshPhotos(1);
      await (await taking).setFiles([jpeg("image.jpg", photo?.buffer ?? new Uint8Array())]);
      await untilEnded(page, 1);
      expect(await page.locator(".card .name").innerText()).toMatch(/^Taken \d\d\.\d\d\.\d\d\.jpg$/);
      const { height = 844 } = (await page.locator(".card").boundingBox()) ?? {};
      expect(height).toBeLessThan(844 / 3 + 50);
      const laptop = await open();
      expect(await laptop.getByText("Take a photo").isVisible()).toBe(false);
    });
  });
}
