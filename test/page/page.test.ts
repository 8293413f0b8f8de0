import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath } from "../fixtures/chromium.ts";
import { madeImage, madePhotos, textFile } from "../fixtures/made-images.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { findBarriers, launchBrowser, visit } from "./browser.ts";
import { type Deployment, startDeployment } from "./deployment.ts";
import {
  card,
  choose,
  focused,
  freshPhotos,
  jpeg,
  listen,
  untilEnded,
  uploads,
  watchBodies,
  watchRequests,
} from "./page-actions.ts";

let deployment: Deployment;
let browser: Browser;

function open(options: Partial<Parameters<typeof visit>[0]> = {}): Promise<Page> {
  return visit({ browser, address: deployment.origin, ...options });
}

describe.skipIf(chromiumPath === undefined)("the page (needs Chromium)", () => {
  beforeAll(async () => {
    [deployment, browser] = await Promise.all([startDeployment(), launchBrowser()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), deployment?.stop()]);
  });

  describe("a photo comes in", () => {
    it("is chosen, captioned by the model, and the next time known to the cache", async () => {
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

    it("is pasted", async () => {
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

    it("is dropped anywhere, with a sign of where it would go", async () => {
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

    it("is named by its address, which the edge fetches", async () => {
      const page = await open();
      const seen = watchRequests(page);
      await page.getByLabel("Address of a photo").fill("http://192.0.2.1/beach.jpg");
      await page.keyboard.press("Enter");
      await untilEnded(page, 1);
      expect(uploads(seen)[0]?.postData()).toBe('{"url":"http://192.0.2.1/beach.jpg"}');
      expect(await card(page, "beach.jpg").innerText()).toContain("source_unreachable");
    });

    it("is one of the samples", async () => {
      const page = await open();
      await page.getByRole("button", { name: "Try a cat" }).click();
      await untilEnded(page, 1);
      expect(await card(page, "chelsea.jpg").getAttribute("data-step")).toBe("captioned");
    });
  });

  describe("twenty photos", () => {
    it("are captioned, told one by one to screen readers, and uploaded only where they are new", async () => {
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

  describe("a photo gets no caption", () => {
    it("says why on its card and to screen readers, and the others get theirs", async () => {
      const page = await open();
      const heard = await listen(page);
      const [photo] = await freshPhotos(1);
      const notes = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from(textFile()) };
      await choose(page, [notes, ...(photo === undefined ? [] : [photo])]);
      await untilEnded(page, 2);
      const refused = card(page, "notes.txt");
      expect(await refused.innerText()).toMatch(/No caption\. Expected a JPEG, PNG.*unsupported_media_type/s);
      expect(await refused.getByRole("button", { name: "Try again" }).count()).toBe(0);
      expect(await card(page, "photo 1.jpg").getAttribute("data-step")).toBe("captioned");
      await expect.poll(heard).toContain("notes.txt could not be captioned: Expected a JPEG");
    });

    it("can be tried again where that may help", async () => {
      const page = await open();
      await page.route("**/v1/captions?*", (route) => route.abort(), { times: 1 });
      await choose(page, await freshPhotos(1));
      await untilEnded(page, 1);
      expect(await card(page, "photo 1.jpg").innerText()).toContain("could not be reached");
      await page.getByRole("button", { name: "Try again with photo 1.jpg" }).click();
      await page.locator('[data-step="captioned"]').waitFor();
    });

    it("is a picture that only the service can decode", async () => {
      const page = await open();
      await choose(page, [{ name: "scan.tiff", mimeType: "image/tiff", buffer: Buffer.from(await madeImage("tiff")) }]);
      await untilEnded(page, 1);
      expect(await card(page, "scan.tiff").getAttribute("data-step")).toBe("captioned");
      expect(await card(page, "scan.tiff").locator("img").count()).toBe(0);
    });
  });

  describe("a deployment that asks for a key", () => {
    it("has the page ask for it, and captions what was refused without", async () => {
      const page = await open();
      const unauthorized = {
        type: "about:blank",
        title: "",
        status: 401,
        code: "unauthorized",
        detail: "a key",
        requestId: "1",
      };
      await page.route("**/v1/**", (route) =>
        route.request().headers().authorization === "Bearer ec_1"
          ? route.continue()
          : route.fulfill({ status: 401, json: unauthorized }),
      );
      await page.reload();
      await choose(page, await freshPhotos(2));
      await untilEnded(page, 2);
      expect(await page.locator('[data-step="failed"]').count()).toBe(2);
      await page.getByLabel("API key").fill("ec_1");
      await page.keyboard.press("Tab");
      await page.locator('[data-step="captioned"]').nth(1).waitFor();
      await page.locator("#model").getByText("revision").waitFor();
      await page.reload();
      expect(await page.getByLabel("API key").inputValue()).toBe("ec_1");
    });
  });

  describe("a busy deployment", () => {
    it("is waited for, which everybody is told", async () => {
      const page = await open();
      const busy = {
        type: "about:blank",
        title: "",
        status: 429,
        code: "rate_limited",
        detail: "too much",
        requestId: "1",
      };
      const headers = { "Retry-After": "1" };
      await page.route("**/v1/captions?*", (route) => route.fulfill({ status: 429, headers, json: busy }), {
        times: 1,
      });
      await choose(page, await freshPhotos(1));
      await page.getByText("Too much. Trying again in 1\u00a0s.").waitFor();
      await page.locator('[data-step="captioned"]').waitFor();
    });
  });

  describe("without a connection", () => {
    it("photos wait, and are captioned when it is back", async () => {
      const page = await open();
      const heard = await listen(page);
      await page.context().setOffline(true);
      await page.getByText("You are offline. Photos that you add wait here").waitFor();
      await choose(page, await freshPhotos(2));
      expect(await card(page, "photo 2.jpg").innerText()).toContain("Waiting for the connection");
      await expect.poll(heard).toContain("You are offline.");
      await page.context().setOffline(false);
      await untilEnded(page, 2);
      expect(await page.locator('[data-step="captioned"]').count()).toBe(2);
      expect(await page.locator("#connection").isVisible()).toBe(false);
    });
  });

  describe("large photos", () => {
    it("are shrunk before the upload where that is chosen, upright and without their EXIF", async () => {
      const page = await open();
      const [painted] = await madePhotos(1, { seed: 73 });
      const enlarged = sharp(painted).resize(2400, 1600, { fit: "fill" }).withMetadata({ orientation: 6 });
      const camera = await enlarged.jpeg({ quality: 97 }).toBuffer();
      const sentBytes = await watchBodies(page);
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

  describe("what is done with captions", () => {
    it("copies text and HTML, and downloads all as CSV that no spreadsheet runs", async () => {
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

    it("keeps them in this browser until they are cleared", async () => {
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

    it("shows as many captions as are asked for, with a number for every word", async () => {
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

  describe("for everybody", () => {
    it("is used from end to end with the keyboard alone", async () => {
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
      await tabTo("word by word for photo 1.jpg");
      await page.keyboard.press("Enter");
      expect(await card(page, "photo 1.jpg").locator(".word-list").isVisible()).toBe(true);
      await tabTo("Remove photo 1.jpg");
      await page.keyboard.press("Enter");
      expect(await focused(page)).toContain("Remove photo 2.jpg");
      await page.keyboard.press("Enter");
      expect(await focused(page)).toBe("choose");
    });

    it("has no barriers that axe finds, in either colour", async () => {
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
      await choose(page, [notes, ...(await freshPhotos(3))]);
      await untilEnded(page, 4);
      await page.locator(".card[data-step=captioned] summary").first().click();
      await page.context().setOffline(true);
      await choose(page, await freshPhotos(1));
      await page.getByText("Waiting for the connection").waitFor();
      expect(await findInBoth()).toEqual([]);
    });

    it("fits screens from 320 pixels on, however long the names", async () => {
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
      await page.getByLabel("Address of a photo").fill(`http://192.0.2.1/${"a-very-long-name-".repeat(10)}.jpg`);
      await page.keyboard.press("Enter");
      await choose(page, [jpeg("coffee.jpg", await readFile(photoPath("coffee")))]);
      await untilEnded(page, 2);
      await page.locator(".card[data-step=captioned] summary").click();
      expect(await measure()).toEqual(sizes);
    });
  });
});
