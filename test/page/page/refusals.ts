import { describe, expect, test } from "vitest";
import { madeImage, textFile } from "../../fixtures/made-images.ts";
import type { OpenPage } from "../browser.ts";
import { card, choose, freshPhotos, listen, untilEnded } from "../page-actions.ts";

/** What the page does if there is no caption, or not yet: a broken photo, a key, a busy deployment, no connection. */
export function captionsAreRefused(open: OpenPage): void {
  describe("a photo gets no caption", () => {
    test("says why on its card and to screen readers, and the others get theirs", async () => {
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

    test("can be tried again where that may help", async () => {
      const page = await open();
      await page.route("**/v1/captions?*", (route) => route.abort(), { times: 1 });
      await choose(page, await freshPhotos(1));
      await untilEnded(page, 1);
      expect(await card(page, "photo 1.jpg").innerText()).toContain("could not be reached");
      await page.getByRole("button", { name: "Try again with photo 1.jpg" }).click();
      await page.locator('[data-step="captioned"]').waitFor();
    });

    test("is a picture that only the service can decode", async () => {
      const page = await open();
      await choose(page, [{ name: "scan.tiff", mimeType: "image/tiff", buffer: Buffer.from(await madeImage("tiff")) }]);
      await untilEnded(page, 1);
      expect(await card(page, "scan.tiff").getAttribute("data-step")).toBe("captioned");
      expect(await card(page, "scan.tiff").locator("img").count()).toBe(0);
    });
  });

  describe("a deployment that asks for a key", () => {
    test("has the page ask for it, and captions what was refused without", async () => {
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
    test("is waited for, which everybody is told", async () => {
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
    test("photos wait, and are captioned when it is back", async () => {
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
}
