import type { Page, Request } from "playwright-core";
import { expect } from "vitest";
import { madePhotos } from "../fixtures/made-images.ts";

export interface PhotoFile {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

export function jpeg(name: string, bytes: Uint8Array): PhotoFile {
  return { name, mimeType: "image/jpeg", buffer: Buffer.from(bytes) };
}

let seed = 1000;

/** Photos that no cache has seen. */
export async function freshPhotos(count: number): Promise<PhotoFile[]> {
  seed += count;
  const photos = await madePhotos(count, { width: 90, height: 60, seed });
  return photos.map((bytes, index) => jpeg(`photo ${index + 1}.jpg`, bytes));
}

export function choose(page: Page, files: PhotoFile[]): Promise<void> {
  return page.setInputFiles("#choose", files);
}

export function card(page: Page, name: string) {
  return page.getByRole("article", { name, exact: true });
}

/** Resolves when as many cards have come to an end. */
export async function untilEnded(page: Page, count: number): Promise<void> {
  const ended = page.locator('[data-step="captioned"], [data-step="failed"]');
  await ended.nth(count - 1).waitFor();
  expect(await page.locator(".card").count()).toBe(count);
}

/** Requests that the page makes to the contract's routes. */
export function watchRequests(page: Page): Request[] {
  const seen: Request[] = [];
  page.on("request", (request) => {
    if (/\/v1\/captions/.test(request.url())) seen.push(request);
  });
  return seen;
}

export function uploads(seen: readonly Request[]): Request[] {
  return seen.filter((request) => request.method() === "POST" && !request.url().includes("/lookup"));
}

/** The id and the text of what has the focus. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(() => `${document.activeElement?.id} ${document.activeElement?.textContent ?? ""}`.trim());
}

/** The bytes of the last photo that the page sent: browsers do not show them to those who watch its requests. */
export async function watchBodies(page: Page): Promise<() => Promise<Buffer>> {
  await page.evaluate(() => {
    const send = window.fetch;
    window.fetch = (input, init) => {
      if (init?.body instanceof Blob) Object.assign(window, { sent: init.body });
      return send(input, init);
    };
  });
  return async () => {
    const address = await page.evaluate(async () => {
      const reader = new FileReader();
      reader.readAsDataURL(Reflect.get(window, "sent"));
      await new Promise((resolve) => reader.addEventListener("load", resolve));
      return String(reader.result);
    });
    return Buffer.from(address.slice(address.indexOf(",") + 1), "base64");
  };
}

/** All that the live regions say from now on. */
export async function listen(page: Page): Promise<() => Promise<string>> {
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    for (const region of document.querySelectorAll('[role="status"]')) {
      new MutationObserver(() => heard.push(region.textContent ?? "")).observe(region, { childList: true });
    }
  });
  return () => page.evaluate(() => Reflect.get(window, "heard").join("\n"));
}
