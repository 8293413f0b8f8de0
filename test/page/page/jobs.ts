import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { Deployment } from "../../../scripts/start/local-servers.ts";
import { newApiKey } from "../../../shared/api-key.ts";
import { CaptionClient } from "../../../shared/client.ts";
import { type ErrorCode, errorFacts } from "../../../shared/errors.ts";
import { addJobPhotos } from "../../fixtures/job-photos.ts";
import { madePhotos, truncatedJpeg } from "../../fixtures/made-images.ts";
import { findBarriers, type OpenPage } from "../browser.ts";
import { choose, freshPhotos, listen, untilEnded } from "../page-actions.ts";

const waitMs = 60_000;
const photos = 12;

/** The table of jobs, for keys that may see it. */
export function jobsAreShown(open: OpenPage, deployment: () => Deployment): void {
  /** Puts photos and a damaged one under a prefix; returns a key that may have them captioned, and its client. */
  const addPhotos = async (prefix: string) => {
    const made = await madePhotos(photos, { width: 64, height: 48, seed: prefix.length });
    const whole = made.map((bytes, index): [string, Uint8Array] => [`${prefix}${index}.jpg`, bytes]);
    const broken: [string, Uint8Array] = [`${prefix}broken.jpg`, await truncatedJpeg()];
    const key = await addJobPhotos(deployment().stateDir, [...whole, broken]);
    return { key, client: new CaptionClient({ origin: deployment().edge, apiKey: key }) };
  };

  describe("jobs of a key that may see them", () => {
    test(
      "show their progress until they end, and are downloaded",
      async () => {
        const { key, client } = await addPhotos("trip/");
        const page = await open();
        const asked = watchJobRequests(page);
        await enterKey(page, key);
        await page.locator("#jobs summary").click();
        await page.getByText("This key has no jobs yet").waitFor();
        const { id } = await client.startJob({ source: { bucket: "photos", prefix: "trip/" } });
        await page.reload();
        const heard = await listen(page);
        await showFirstAs(page, { state: "running", done: 3, failed: 0, listed: 13, secondsLeft: 200 });
        await page.locator("#jobs summary").click();
        const row = page.getByRole("row", { name: "photos/trip/" });
        await row.getByText("3 of 13").waitFor();
        expect(await row.innerText()).toMatch(/running.*4\smin/s);
        await row.getByRole("cell", { name: "done", exact: true }).waitFor({ timeout: waitMs });
        const cells = await row.getByRole("cell").allInnerTexts();
        expect(cells.map((cell) => cell.trim()).slice(0, 4)).toEqual(["done", "13 of 13", "0", "1"]);
        const bar = row.getByRole("progressbar");
        expect([await bar.getAttribute("max"), await bar.getAttribute("value")]).toEqual(["13", "13"]);
        await expect.poll(heard).toContain("The job over photos/trip/ is done: 12 captioned, 1 failed.");
        expect(await row.getByRole("button", { name: "Cancel" }).count()).toBe(0);
        const askedThen = asked().length;
        await page.waitForTimeout(4000);
        expect(asked()).toHaveLength(askedThen); // since nothing runs any more

        const csv = await download(page, "CSV of photos/trip/");
        expect(csv.name).toBe(`captions-${id.slice(0, 8)}.csv`);
        expect(csv.text).toMatch(/^object,state,caption,.*\r\n(?:.*\r\n){12}trip\/broken\.jpg,failed,/);
        expect(csv.text.trim().split("\r\n")).toHaveLength(1 + photos + 1);
        const lines = await download(page, "JSON lines of photos/trip/");
        expect(lines.text.trim().split("\n")).toHaveLength(photos + 1);
      },
      2 * waitMs,
    );

    test(
      "are cancelled after a question, and fit every screen without barriers",
      async () => {
        const { key, client } = await addPhotos("feed/");
        const { id } = await client.startJob({ source: { bucket: "photos", prefix: "feed/", follow: true } });
        const page = await open();
        const heard = await listen(page);
        await enterKey(page, key);
        await page.locator("#jobs summary").click();
        const row = page.getByRole("row", { name: "photos/feed/" });
        await row.getByText("13 of 13").waitFor({ timeout: waitMs });
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await findBarriers(page)).toEqual([]);
        }
        for (const width of [320, 390, 820, 1280]) {
          await page.setViewportSize({ width, height: 800 });
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
        }
        page.once("dialog", (dialog) => dialog.dismiss());
        await row.getByRole("button", { name: "Cancel" }).click();
        expect((await client.job(id)).state).toBe("following");
        page.once("dialog", (dialog) => dialog.accept());
        await row.getByRole("button", { name: "Cancel" }).click();
        await row.getByRole("cell", { name: "cancelled", exact: true }).waitFor();
        expect((await client.job(id)).state).toBe("cancelled");
        await expect.poll(heard).toContain("The job over photos/feed/ is cancelled.");
        await page.locator("#jobs summary").click();
        await page.setViewportSize({ width: 1280, height: 900 });
        await choose(page, await freshPhotos(1));
        await untilEnded(page, 1);
        const { y = 900, height = 0 } = (await page.locator(".caption").boundingBox()) ?? {};
        expect(y + height).toBeLessThan(900);
      },
      2 * waitMs,
    );
  });

  describe("jobs that nobody may see", () => {
    test("are neither shown nor asked for, and after a refusal not again", async () => {
      const page = await open();
      const asked = watchJobRequests(page);
      await page.locator("#model").getByText("revision").waitFor();
      expect(asked()).toEqual([]);
      await enterKey(page, newApiKey());
      await expect.poll(asked).toEqual([401]);
      for (const code of ["forbidden", "not_found"] as const) {
        await page.route("**/v1/jobs", (route) => route.fulfill(refusal(code)), { times: 1 });
        await page.reload();
        await expect.poll(() => asked().at(-1)).toBe(errorFacts[code].status);
      }
      await page.waitForTimeout(4000);
      expect(asked()).toEqual([401, 403, 404]);
      expect(await page.locator("#jobs").isVisible()).toBe(false);
    });

    test("come back after an edge that did not answer", async () => {
      const { key } = await addPhotos("back/");
      const page = await open();
      await enterKey(page, key);
      await page.route("**/v1/jobs", (route) => route.abort(), { times: 1 });
      await page.locator("#jobs summary").click();
      await page.getByText("The edge does not answer at present").waitFor();
      await page.locator("#jobs summary").click();
      await page.locator("#jobs summary").click();
      await page.getByText("The edge does not answer at present").waitFor({ state: "detached" });
      expect(await page.getByText("This key has no jobs yet").isVisible()).toBe(true);
    });
  });
}

async function enterKey(page: Page, key: string): Promise<void> {
  await page.getByText("Options", { exact: true }).click();
  await page.getByRole("button", { name: "Use an API key" }).click();
  await page.keyboard.type(key);
  await page.keyboard.press("Tab");
}

/** Changes the first job of the next list that the page gets. */
async function showFirstAs(page: Page, change: Record<string, unknown>): Promise<void> {
  const changed = async (reply: { json(): Promise<{ jobs: object[] }> }) => {
    const { jobs, ...list } = await reply.json();
    return { ...list, jobs: jobs.map((job, index) => (index === 0 ? { ...job, ...change } : job)) };
  };
  await page.route(
    "**/v1/jobs",
    async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: await changed(response) });
    },
    { times: 1 },
  );
}

/** The statuses of the answers to the page's requests for jobs. */
function watchJobRequests(page: Page): () => number[] {
  const statuses: number[] = [];
  page.on("response", (response) => {
    if (/\/v1\/jobs$/.test(response.url())) statuses.push(response.status());
  });
  return () => statuses;
}

function refusal(code: ErrorCode) {
  const { status, title } = errorFacts[code];
  return { status, json: { type: "about:blank", title, status, code, detail: "no jobs for you", requestId: "1" } };
}

async function download(page: Page, button: string): Promise<{ name: string; text: string }> {
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: button }).click();
  const file = await downloading;
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
}
