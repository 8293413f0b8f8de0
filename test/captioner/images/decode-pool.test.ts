import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openBundle } from "../../../captioner/bundle.ts";
import { DecodePool } from "../../../captioner/images/decode-pool.ts";
import type { Priority } from "../../../shared/priority.ts";
import { tinyBundle } from "../../fixtures/bundles.ts";
import { madeImage } from "../../fixtures/made-images.ts";
import { slowImage } from "../../fixtures/slow-images.ts";
import { aliveOf, childrenOf } from "../../support/process-table.ts";

const { preprocessing } = (await openBundle(tinyBundle)).manifest;
const large = await madeImage("png", { width: 2000, height: 1500 }); // 3 megapixels
const small = await madeImage("jpeg", { width: 40, height: 30 });

const slow = await slowImage("png", 2600); // more than a quarter of a second is expected of it
type Settings = ConstructorParameters<typeof DecodePool>[0];
const pools: DecodePool[] = [];
function poolOf(limits: Partial<Settings>): DecodePool {
  const usual = { maxPixels: 1e8, allowHeic: false, maxMegapixels: 100, threads: 4, slowPhotos: undefined };
  const pool = new DecodePool({ preprocessing, ...usual, ...limits });
  pools.push(pool);
  return pool;
}

afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

function isDecoder(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("decode-child");
}

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

test("decodes photos of bulk priority after all others, and has no batch wait for them", async () => {
  const pool = poolOf({ threads: 2 });
  const order: string[] = [];
  const decode = async (name: string, priority: Priority) => {
    await pool.decode(small, { priority });
    order.push(name);
  };
  const decoded = Promise.all([
    decode("first bulk", "bulk"),
    decode("second bulk", "bulk"),
    decode("person", "interactive"),
  ]);
  expect([pool.inFlight, pool.awaited]).toEqual([3, 1]);
  await decoded;
  expect(order).toEqual(["first bulk", "person", "second bulk"]);
  expect([pool.inFlight, pool.awaited]).toEqual([0, 0]);
});

test("lets go of a photo at once whose signal aborts while it waits, and decodes the next", async () => {
  const pool = poolOf({ threads: 2 });
  const controller = new AbortController();
  const first = pool.decode(large);
  const left = pool.decode(large, { signal: controller.signal });
  const next = pool.decode(small);
  const reason = new Error("gone");
  controller.abort(reason);
  const isFirstDone = vi.fn();
  void first.then(isFirstDone);
  await expect(left).rejects.toBe(reason);
  expect(isFirstDone).not.toHaveBeenCalled();
  await Promise.all([first, next]);
  await vi.waitFor(() => expect(pool.inFlight).toBe(0));
});

test("takes no photo whose signal has aborted", async () => {
  const pool = poolOf({});
  await expect(pool.decode(small, { signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
  expect(pool.inFlight).toBe(0);
});

test.each([
  ["is no image", new TextEncoder().encode("no photo"), "unsupported_media_type"],
  ["is cut short", large.subarray(0, large.length / 2), "invalid_image"],
])("has nothing in hand behind a photo that %s", async (_, bytes, code) => {
  const pool = poolOf({});
  await expect(pool.decode(bytes)).rejects.toMatchObject({ code });
  expect(pool.inFlight).toBe(0);
});

describe("a photo that takes long to decode", () => {
  const slowPhotos = { perCaller: 2, total: 3 };

  test("is passed by all others, also where there is one thread for them", async () => {
    const pool = poolOf({ slowPhotos, threads: 2 });
    const photos = { slow, alsoSlow: slow, small, large };
    expect(await orderOf(pool, photos)).toEqual(["small", "large", "slow", "alsoSlow"]);
  });

  test("is passed by those that take less, and then is next: it does not wait for ever", async () => {
    const pool = poolOf({ slowPhotos: { perCaller: 10, total: 10 }, threads: 2 });
    const slower = await slowImage("png", 2900);
    const order: string[] = [];
    const decode = async (name: string, bytes: Uint8Array) => {
      await pool.decode(bytes);
      order.push(name);
    };
    const first = decode("first", slow);
    const waiting = [decode("slower", slower), decode("slow", slow)];
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 2_000); // later than the slower one takes
    waiting.push(decode("late", slow));
    vi.restoreAllMocks();
    await Promise.all([first, ...waiting]);
    expect(order).toEqual(["first", "slow", "slower", "late"]);
  });

  test("is refused beyond what its caller may have at once, waiting and being decoded, and others of other callers are not", async () => {
    const pool = poolOf({ slowPhotos });
    const ofOne = [pool.decode(slow, { caller: "one" }), pool.decode(slow, { caller: "one" })];
    await expect(pool.decode(slow, { caller: "one" })).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterSeconds: expect.any(Number),
    });
    const ofOther = pool.decode(slow, { caller: "other" });
    await expect(pool.decode(slow, { caller: "third" })).rejects.toMatchObject({ code: "overloaded" });
    await pool.decode(small, { caller: "one" });
    await Promise.all([...ofOne, ofOther]);
    expect(pool.inFlight).toBe(0);
    await pool.decode(slow, { caller: "one" });
  });

  test("is not decoded any longer where nobody waits for it, and the next one is", async () => {
    const pool = poolOf({ slowPhotos });
    const controller = new AbortController();
    const order = { caller: "one", signal: controller.signal };
    const onGivenUp = vi.fn();
    const both = [pool.decode(slow, { ...order, onGivenUp }), pool.decode(slow, order)];
    await vi.waitFor(() => expect(childrenOf(process.pid).filter(isDecoder)).toHaveLength(1));
    const [decoder = Number.NaN] = childrenOf(process.pid).filter(isDecoder);
    controller.abort(new Error("time is up"));
    for (const photo of both) await expect(photo).rejects.toThrow("time is up");
    await vi.waitFor(() => expect(aliveOf([decoder])).toEqual([]), 5_000);
    expect(onGivenUp).toHaveBeenCalledExactlyOnceWith({ ms: expect.any(Number), isSlow: true });
    await vi.waitFor(() => expect(pool.inFlight).toBe(0));
    expect((await pool.decode(slow, { caller: "one" })).image).toMatchObject({ format: "png", width: 2600 });
  });

  test("is not ended by the signal of one that was decoded before", async () => {
    const pool = poolOf({ slowPhotos });
    const controller = new AbortController();
    await pool.decode(slow, { signal: controller.signal });
    const next = pool.decode(slow);
    controller.abort(new Error("time is up"));
    expect((await next).image.width).toBe(2600);
  });

  test("is refused where its decoder ends, which takes nothing else along", async () => {
    const pool = poolOf({ slowPhotos });
    const decoding = pool.decode(slow);
    await vi.waitFor(() => expect(childrenOf(process.pid).filter(isDecoder)).toHaveLength(1));
    for (const decoder of childrenOf(process.pid).filter(isDecoder)) process.kill(decoder, "SIGKILL");
    await expect(decoding).rejects.toMatchObject({ code: "invalid_image" });
    await pool.decode(slow);
  });

  test("is refused by the contract where it is damaged", async () => {
    const damaged = poolOf({ slowPhotos }).decode(slow.subarray(0, slow.length / 2));
    await expect(damaged).rejects.toMatchObject({ name: "CaptionError", code: "invalid_image" });
  });

  test("is refused above the limit of pixels that AVIF has of its own", async () => {
    const avif = await slowImage("avif", 100);
    const pool = poolOf({ maxAvifPixels: 9_999 });
    const message = "expected an image in AVIF of at most 9999 pixels, received 100 × 100";
    await expect(pool.decode(avif)).rejects.toMatchObject({ code: "payload_too_large", message });
    await poolOf({ maxAvifPixels: 10_000 }).decode(avif);
  });
});
