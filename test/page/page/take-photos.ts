import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { madePhotos } from "../../fixtures/made-images.ts";
import { heicPath, photoPath } from "../../fixtures/real-photos.ts";
import type { OpenPage } from "../browser.ts";
import {
  card,
  choose,
  freshPhotos,
  jpeg,
  listen,
  untilEnded,
  uploads,
  watchBodies,
  watchRequests,
} from "../page-actions.ts";

/** How photos come onto the page, alone and many at once, and what of them is sent. */
export function photosComeIn(open: OpenPage): void {
  describe("a photo comes in", () => {
    test("is chosen, captioned by the model, and the next time known to the cache", async () => {
      const page = await open();
      const seen = watchRequests(page);
      const [photo] = await freshPhotos(1);
      if (photo === undefined) throw new Error("no photo was made");
      await choose(page, [photo]);
      await untilEnded(page, 1);
      const first = card(page, "photo 1.jpg");
      expect(await first.innerText()).toMatch(/\d+\s% sure\s+from the model, [\d.]+\s(ms|s)/);
      const words = await first.locator(".caption .word").allInnerTexts();
      expect(words.join(" ")).toBe((await first.locator(".caption").innerText()).trim());
      await choose(page, [{ ...photo, name: "again.jpg" }]);
      await untilEnded(page, 2);
      expect(await card(page, "again.jpg").innerText()).toContain("from the cache");
      expect(uploads(seen)).toHaveLength(1);
    });

    test("is pasted", async () => {
      const page = await open();
      const [photo] = await freshPhotos(1);
      await page.evaluate((base64) => {
        const data = new DataTransfer();
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        data.items.add(new File([bytes], "image.png", { type: "image/png" }));
        document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
      }, photo?.buffer.toString("base64") ?? "");
      await untilEnded(page, 1);
      expect(await page.locator(".card .name").innerText()).toMatch(/^Pasted \d\d\.\d\d\.\d\d\.png$/);
      expect(await page.locator(".card").getAttribute("data-step")).toBe("captioned");
    });

    test("is dropped anywhere, with a sign of where it would go", async () => {
      const page = await open();
      const [photo] = await freshPhotos(1);
      const data = await page.evaluateHandle((base64) => {
        const transfer = new DataTransfer();
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        transfer.items.add(new File([bytes], "dropped.jpg", { type: "image/jpeg" }));
        return transfer;
      }, photo?.buffer.toString("base64") ?? "");
      await page.dispatchEvent("footer", "dragenter", { dataTransfer: data });
      expect(await page.getByText("Drop to caption").isVisible()).toBe(true);
      await page.dispatchEvent("footer", "drop", { dataTransfer: data });
      expect(await page.getByText("Drop to caption").isVisible()).toBe(false);
      await untilEnded(page, 1);
      expect(await card(page, "dropped.jpg").getAttribute("data-step")).toBe("captioned");
    });

    test("is named by its address, which the edge fetches", async () => {
      const page = await open();
      const seen = watchRequests(page);
      await page.getByLabel("Photo URL").fill("http://192.0.2.1/beach.jpg");
      await page.keyboard.press("Enter");
      await untilEnded(page, 1);
      expect(uploads(seen)[0]?.postData()).toBe('{"url":"http://192.0.2.1/beach.jpg"}');
      expect(await card(page, "beach.jpg").innerText()).toContain("source_unreachable");
    });

    test("is one of the samples", async () => {
      const page = await open();
      await page.getByRole("button", { name: "Try a pizza" }).click();
      await untilEnded(page, 1);
      expect(await card(page, "pizza.jpg").getAttribute("data-step")).toBe("captioned");
    });
  });

  describe("a phone's HEIC photo", () => {
    test("is decoded in the browser, by a decoder that no other photo loads, and sent as a JPEG", async () => {
      const page = await open();
      const scripts: string[] = [];
      page.on("request", (request) => scripts.push(request.url()));
      const decoders = () => scripts.filter((address) => /heic-decoder|libheif/.test(address)).length;
      await choose(page, await freshPhotos(1));
      await untilEnded(page, 1);
      expect(decoders()).toBe(0);
      const sentBytes = await watchBodies(page);
      await choose(page, [{ name: "IMG_1.HEIC", mimeType: "image/heic", buffer: await readFile(heicPath) }]);
      await untilEnded(page, 2);
      expect(await card(page, "IMG_1.HEIC").getAttribute("data-step")).toBe("captioned");
      expect(
        await card(page, "IMG_1.HEIC")
          .locator("img")
          .evaluate((picture) => picture.clientWidth),
      ).toBeGreaterThan(0);
      expect(decoders()).toBeGreaterThan(0);
      const sent = await sentBytes();
      const { format, width, height } = await sharp(sent).metadata();
      expect([format, width, height]).toEqual(["jpeg", 300, 200]);
      const original = await sharp(await readFile(photoPath("coffee")))
        .resize(300, 200)
        .raw()
        .toBuffer();
      const decoded = await sharp(sent).raw().toBuffer();
      const difference = decoded.reduce((sum, value, index) => sum + Math.abs(value - (original[index] ?? 0)), 0);
      expect(difference / decoded.length).toBeLessThan(8);
    });

    test("that is damaged, or whose decoder does not come, says so", async () => {
      const page = await open();
      const whole = await readFile(heicPath);
      const cut = whole.subarray(0, whole.length / 2);
      await choose(page, [{ name: "cut.heic", mimeType: "image/heic", buffer: cut }]);
      await untilEnded(page, 1);
      expect(await card(page, "cut.heic").innerText()).toMatch(/This HEIC photo cannot be decoded: .*invalid_image/s);
      await page.route("**/built/heic-decoder-*", (route) => route.abort(), { times: 1 });
      await choose(page, [{ name: "later.heic", mimeType: "image/heic", buffer: whole }]);
      await untilEnded(page, 2);
      expect(await card(page, "later.heic").innerText()).toContain("decoder for HEIC photos could not be loaded");
      await card(page, "later.heic").getByRole("button", { name: "Try again" }).click();
      await page.locator('[data-step="captioned"]').waitFor();
    });
  });

  describe("twenty photos", () => {
    test("are captioned, told one by one to screen readers, and uploaded only where they are new", async () => {
      const page = await open();
      const seen = watchRequests(page);
      const heard = await listen(page);
      const photos = await freshPhotos(20);
      await choose(page, photos.slice(0, 5));
      await untilEnded(page, 5);
      await choose(page, photos);
      await untilEnded(page, 25);
      expect(await page.locator('[data-step="captioned"]').count()).toBe(25);
      expect(uploads(seen)).toHaveLength(20);
      expect(await page.getByText("25 captioned").isVisible()).toBe(true);
      await expect.poll(heard).toContain("20 photos are added.");
      for (const { name } of photos) await expect.poll(heard).toContain(`${name}: `);
    });
  });

  describe("large photos", () => {
    test("are shrunk before the upload where that is chosen, upright and without their EXIF", async () => {
      const page = await open();
      const [painted] = await madePhotos(1, { seed: 73 });
      const enlarged = sharp(painted).resize(2400, 1600, { fit: "fill" }).withMetadata({ orientation: 6 });
      const camera = await enlarged.jpeg({ quality: 97 }).toBuffer();
      const sentBytes = await watchBodies(page);
      await page.getByText("Options", { exact: true }).click();
      await choose(page, [jpeg("shrunk.jpg", camera)]);
      await untilEnded(page, 1);
      const shrunk = await sharp(await sentBytes()).metadata();
      expect([shrunk.width, shrunk.height, shrunk.orientation]).toEqual([853, 1280, undefined]);
      await page.getByLabel("Shrink large photos first").uncheck();
      await choose(page, [jpeg("whole.jpg", camera)]);
      await untilEnded(page, 2);
      expect((await sentBytes()).equals(camera)).toBe(true);
      await page.reload();
      expect(await page.getByLabel("Shrink large photos first").isChecked()).toBe(false);
    });
  });
}
