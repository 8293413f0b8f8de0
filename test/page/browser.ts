import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { chromiumPath } from "../fixtures/chromium.ts";
import { visitorAddress } from "../support/deployment.ts";

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export function launchBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error("expected Chromium to be installed");
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : []; // its sandbox refuses root, which containers run as
  return chromium.launch({ executablePath: chromiumPath, args });
}

interface Visit extends BrowserContextOptions {
  browser: Browser;
  address: string;
}

/** Opens the page that a test file is about, for a visitor of its own. */
export type OpenPage = (options?: BrowserContextOptions) => Promise<Page>;

/**
 * A visitor of its own, with an empty history, until the test ends. A script that fails, a breach of the content security
 * policy, or a request to another origin fails the test.
 */
export async function visit({ browser, address, ...options }: Visit): Promise<Page> {
  const extraHTTPHeaders = { "CF-Connecting-IP": visitorAddress() };
  const context = await browser.newContext({ reducedMotion: "reduce", extraHTTPHeaders, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000); // below a test's own, so that what was waited for is told
  const mishaps: string[] = [];
  page.on("pageerror", (error) => mishaps.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) mishaps.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith("blob:") && !request.url().startsWith(new URL(address).origin))
      mishaps.push(request.url());
  });
  onTestFinished(async () => {
    await context.close();
    expect(mishaps).toEqual([]);
  });
  await page.goto(address);
  return page;
}

/** What axe finds wrong with the page as it stands, a line each; its rules are WCAG 2.2 AA and its own best practices. */
export async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axePath, "utf8"));
  const { violations } = await page.evaluate<AxeResults>("axe.run()");
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}
