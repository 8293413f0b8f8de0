import { execFile, spawnSync } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Deployment } from "../../scripts/start/local-servers.ts";
import { errorCodes } from "../../shared/errors.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { chromiumPath } from "../fixtures/chromium.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { startTinyDeployment } from "../support/deployment.ts";
import { findBarriers, launchBrowser, type OpenPage, visit } from "./browser.ts";

const execute = promisify(execFile);
const hasRequests = spawnSync("python3", ["-c", "import requests"]).status === 0;

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

  test("have an example in three languages for each operation, which works as it stands", async () => {
    const page = await open();
    const folder = await temporaryFolder();
    await copyFile(photoPath("coffee"), join(folder, "photo.jpg"));
    await page.locator("#captionPhoto input[type=file]").setInputFiles(photoPath("coffee"));
    const exampleOf = (operation: string, language: string) =>
      page.locator(`#${operation} [data-language=${language}]`).innerText();
    const runCurl = async (operation: string) =>
      (await execute("sh", ["-c", await exampleOf(operation, "curl")], { cwd: folder })).stdout;
    const runFetch = async (operation: string, value: string) =>
      page.evaluate(`(async () => { ${await exampleOf(operation, "fetch")}\nreturn ${value}; })()`);
    await page.getByRole("group", { name: "Example: Caption a photo" }).getByText("curl", { exact: true }).click();
    const { caption } = JSON.parse(await runCurl("captionPhoto"));
    expect(JSON.parse(await runCurl("lookUpCaption")).caption).toBe(caption);
    expect(JSON.parse(await runCurl("lookUpCaptions")).missing).toEqual([]);
    expect(JSON.parse(await runCurl("deleteCaption")).code).toBe("unauthorized");
    expect(JSON.parse(await runCurl("readHealth"))).toEqual({ status: "ok" });

    await page
      .getByRole("group", { name: "Example: Look a photo up by its id" })
      .getByText("fetch", { exact: true })
      .click();
    expect(await runFetch("captionPhoto", "caption")).toBe(caption);
    expect(await runFetch("lookUpCaption", "result.caption")).toBe(caption);
    expect(await runFetch("lookUpCaptions", "missing")).toEqual([]);
    expect(await runFetch("readReadiness", "answer.status")).toBe("ready");
  });

  test.skipIf(!hasRequests)("have examples in Python that work (needs Python's requests)", async () => {
    const page = await open();
    const folder = await temporaryFolder();
    await copyFile(photoPath("coffee"), join(folder, "photo.jpg"));
    await page.getByText("Python", { exact: true }).first().click();
    const run = async (operation: string) => {
      const example = await page.locator(`#${operation} [data-language=Python]`).innerText();
      const environment = { ...process.env, KEY: "ec_1" };
      return (await execute("python3", ["-c", example], { cwd: folder, env: environment })).stdout.trim();
    };
    const caption = await run("captionPhoto");
    expect(await run("lookUpCaption")).toBe(caption);
    expect(await run("lookUpCaptions")).toContain(caption);
    await expect(run("deleteCaption")).rejects.toThrow(/401 Client Error/);
    expect(await run("readHealth")).toBe("{'status': 'ok'}");
  });

  test("show all examples in the language chosen for one, and in the next visit again; a button copies one", async () => {
    const page = await open({ permissions: ["clipboard-read", "clipboard-write"] });
    const shown = (language: string) => page.locator(`pre[data-language=${language}]:visible`).count();
    const operations = await page.locator("article.operation").count();
    expect([await shown("curl"), await shown("Python")]).toEqual([operations, 0]);
    await page.getByRole("group", { name: "Example: Caption a photo" }).getByLabel("curl").focus();
    await page.keyboard.press("ArrowLeft"); // around to the last
    expect([await shown("curl"), await shown("Python")]).toEqual([0, operations]);
    await page.reload();
    expect(await shown("Python")).toBe(operations);
    await page.locator("#readHealth").getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(
      `requests.get("${deployment.edge}/healthz")`,
    );
  });

  test("lead from an operation to its errors in one table, and to a schema, which opens", async () => {
    const page = await open();
    await page.locator("#captionPhoto").getByRole("link", { name: "413" }).click();
    expect(await page.locator("tr:target").innerText()).toMatch(/413\s*payload_too_large/);
    expect(await page.locator("table.errors tbody tr").count()).toBe(errorCodes.length);
    await page.locator("#captionPhoto").getByRole("link", { name: "CaptionResult" }).click();
    await page.locator("#schema-CaptionResult table").waitFor();
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
    await reading.getByText("Python", { exact: true }).first().click();
    expect(await reading.locator("#captionPhoto pre:visible").first().innerText()).toContain("import requests");
    const page = await open();
    await page.context().setOffline(true);
    const health = page.locator("#readHealth");
    await health.getByText("Try it").click();
    await health.getByRole("button", { name: "Send" }).click();
    await health.getByText("No answer").waitFor();
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
    await page.locator("#schema-CaptionResult summary").click();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await findBarriers(page)).toEqual([]);
    }
  });
});
