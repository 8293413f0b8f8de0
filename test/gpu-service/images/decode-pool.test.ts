import { expect, test, vi } from "vitest";
import { openBundle } from "../../../gpu-service/bundle.ts";
import { DecodePool } from "../../../gpu-service/images/decode-pool.ts";
import { tinyBundle } from "../../fixtures/bundles.ts";
import { madeImage } from "../../fixtures/made-images.ts";

const { preprocessing } = (await openBundle(tinyBundle)).manifest;
const large = await madeImage("png", { width: 2000, height: 1500 }); // 3 megapixels
const small = await madeImage("jpeg", { width: 40, height: 30 });

const poolOf = (limits: { maxMegapixels?: number; threads?: number; maxPixels?: number }) =>
  new DecodePool({ preprocessing, maxPixels: 1e8, allowHeic: false, maxMegapixels: 100, threads: 4, ...limits });

/** The order in which photos were done. */
async function orderOf(pool: DecodePool, photos: Record<string, Uint8Array>): Promise<string[]> {
  const order: string[] = [];
  const decode = async ([name, bytes]: [string, Uint8Array]) => {
    await pool.decode(bytes);
    order.push(name);
  };
  await Promise.all(Object.entries(photos).map(decode));
  return order;
}

test("decodes one after the other, in the order they came, what is more pixels than it may hold at once", async () => {
  const pool = poolOf({ maxMegapixels: 3 });
  expect(await orderOf(pool, { first: large, second: small, third: large })).toEqual(["first", "second", "third"]);
});

test("decodes a photo alone that is more than all it may hold", async () => {
  expect(await orderOf(poolOf({ maxMegapixels: 1 }), { first: large, second: small })).toEqual(["first", "second"]);
});

test("decodes no more at once than it has threads for but one", async () => {
  expect(await orderOf(poolOf({ threads: 2 }), { first: large, second: small })).toEqual(["first", "second"]);
});

test("lets go of a photo at once whose signal aborts while it waits, and decodes the next", async () => {
  const pool = poolOf({ threads: 2 });
  const controller = new AbortController();
  const first = pool.decode(large);
  const left = pool.decode(large, controller.signal);
  const next = pool.decode(small);
  const reason = new Error("gone");
  controller.abort(reason);
  const isFirstDone = vi.fn();
  void first.then(isFirstDone);
  await expect(left).rejects.toBe(reason);
  expect(isFirstDone).not.toHaveBeenCalled();
  await Promise.all([first, next]);
  await vi.waitFor(() => expect(pool.inHand).toBe(0));
});

test("takes no photo whose signal has aborted", async () => {
  const pool = poolOf({});
  await expect(pool.decode(small, AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
  expect(pool.inHand).toBe(0);
});

test.each([
  ["is no image", new TextEncoder().encode("no photo"), "unsupported_media_type"],
  ["is cut short", large.subarray(0, large.length / 2), "invalid_image"],
])("has nothing in hand behind a photo that %s", async (_, bytes, code) => {
  const pool = poolOf({});
  await expect(pool.decode(bytes)).rejects.toMatchObject({ code });
  expect(pool.inHand).toBe(0);
});
