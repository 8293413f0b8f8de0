import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Deployment } from "../../scripts/start/local-servers.ts";
import { chromiumPath } from "../fixtures/chromium.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { startTinyDeployment } from "../support/deployment.ts";
import { findBarriers, launchBrowser, type OpenPage, visit } from "./browser.ts";

let deployment: Deployment;
let browser: Browser;

const open: OpenPage = (options = {}) => visit({ browser, address: `${deployment.edge}/docs`, ...options });

describe.skipIf(chromiumPath === undefined)("the docs (needs Chromium)", () => {
  beforeAll(async () => {
    [deployment, browser] = await Promise.all([startTinyDeployment(), launchBrowser()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), deployment?.stop()]);
  });

  test("try requests: a photo is captioned, and looked up by the id that came back", async () => {
    const page = await open();
    const caption = page.locator("#captionPhoto");
    await caption.getByText("Try it").click();
    await caption.getByLabel("Photo", { exact: true }).setInputFiles(photoPath("coffee"));
    await caption.getByLabel("candidates", { exact: true }).fill("2");
    await caption.getByRole("button", { name: "Send" }).click();
    await caption.getByText(/^200 after \d+ ms$/).waitFor();
    expect(await caption.locator(".reply").innerText()).toMatch(/Cache-Status: edge-caption; .*"candidates": \[/s);
    const lookUp = page.locator("#lookUpCaption");
    await lookUp.getByText("Try it").click();
    await lookUp.getByLabel("candidates", { exact: true }).fill("2");
    await lookUp.getByRole("button", { name: "Send" }).click();
    await lookUp.getByText(/^200 after/).waitFor();
    const many = page.locator("#lookUpCaptions");
    await many.getByText("Try it").click();
    await many.getByLabel("candidates", { exact: true }).fill("2");
    await many.getByRole("button", { name: "Send" }).click();
    await many.getByText(/^200 after/).waitFor();
    expect(await many.locator(".reply").innerText()).toContain('"missing": []');
  });

  test("show a refusal as it came", async () => {
    const page = await open();
    const lookUp = page.locator("#lookUpCaption");
    await lookUp.getByText("Try it").click();
    await lookUp.getByLabel("id", { exact: true }).fill("sha256:0");
    await lookUp.getByRole("button", { name: "Send" }).click();
    await lookUp.getByText(/^400 after/).waitFor();
    expect(await lookUp.locator(".reply").innerText()).toContain('"code": "invalid_request"');
  });

  test("are read without a script, and tried requests say so where there is no connection", async () => {
    const reading = await open({ javaScriptEnabled: false });
    expect(await reading.locator("main").innerText()).toMatch(
      /Caption a photo.*\/v1\/captions\/lookup.*CaptionResult/s,
    );
    const page = await open();
    await page.context().setOffline(true);
    const health = page.locator("#readHealth");
    await health.getByText("Try it").click();
    await health.getByRole("button", { name: "Send" }).click();
    await health.getByText("Nothing came back").waitFor();
  });

  test("have no barriers that axe finds, in either colour, and fit a phone", async () => {
    const page = await open({ viewport: { width: 320, height: 700 } });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await page.locator("#readHealth").getByText("Try it").click();
    await page.locator("#readHealth").getByRole("button", { name: "Send" }).click();
    await page
      .locator("#readHealth")
      .getByText(/^200 after/)
      .waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await findBarriers(page)).toEqual([]);
    }
  });
});
