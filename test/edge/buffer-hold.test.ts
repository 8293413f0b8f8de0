import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type BufferHold, BufferPool } from "../../edge/buffer-hold.ts";
import { isolateState } from "../../edge/isolate-state.ts";
import { lookupReplySchema } from "../../shared/contract.ts";
import { byteIdOf } from "../../shared/photo-id.ts";
import {
  callWorker,
  freshPhoto,
  postPhoto,
  readCaption,
  readProblem,
  startFreshDeployment,
  watchWarnings,
} from "./call-worker.ts";

const mebibyte = 1024 * 1024;
const overloaded = expect.objectContaining({ code: "overloaded", retryAfterSeconds: 1 });

let pool = new BufferPool({ maxBytes: 60 });

beforeEach(startFreshDeployment);
beforeEach(() => {
  pool = new BufferPool({ maxBytes: 60 });
});
afterEach(() => expect(isolateState.bufferedBytes).toBe(0));

function take(caller: string, bytes: number): BufferHold {
  const hold = pool.holdFor(caller);
  hold.growTo(bytes);
  return hold;
}

/** Advances the worker's clock. */
function passSeconds(seconds: number): void {
  const now = Date.now() + 1000 * seconds;
  const clock = vi.spyOn(Date, "now").mockReturnValue(now);
  onTestFinished(() => clock.mockRestore());
}

describe("an isolate's memory for bodies", () => {
  test("counts a body once, by the most that has arrived of it, and is free again when it is released", () => {
    const hold = pool.holdFor("a");
    for (const bytes of [10, 2, 5, 11]) hold.growTo(bytes);
    expect(pool.bytes).toBe(11);
    hold.release();
    hold.release();
    expect(pool.bytes).toBe(0);
  });

  test("counts a second body of one request instead of the first, and may evict it like any other", () => {
    const hold = take("a", 30);
    hold.complete();
    hold.restart();
    expect(pool.bytes).toBe(0);
    hold.growTo(40);
    passSeconds(3);
    expect(take("b", 30).bytes).toBe(30);
    expect(() => hold.growTo(41)).toThrow(overloaded);
  });

  test("gives one caller two thirds of it, however many bodies that is", () => {
    const holds = [take("a", 20), take("a", 20)];
    expect(() => take("a", 1)).toThrow(overloaded);
    holds[0]?.release();
    expect(take("a", 20).bytes).toBe(20);
  });

  test("always leaves room for one more caller, in proportion to what the others have", () => {
    take("a", 40);
    take("b", 13);
    expect(() => take("c", 7)).toThrow(overloaded);
    expect(take("c", 4).bytes).toBe(4);
    expect(take("d", 1).bytes).toBe(1);
  });

  test("takes none for what is only declared, and refuses what would not fit", () => {
    const hold = pool.holdFor("a");
    hold.expectRoomFor(40);
    expect(pool.bytes).toBe(0);
    expect(() => hold.expectRoomFor(41)).toThrow(overloaded);
  });

  test("is taken from bodies that have stood still for two seconds where there is no other, the largest first", () => {
    const [small, large] = [take("a", 10), take("a", 30)];
    const dropped = vi.fn();
    large.onEviction(dropped);
    passSeconds(2);
    expect(take("a", 20).bytes).toBe(20);
    expect({ small: small.bytes, large: large.bytes, bytes: pool.bytes }).toEqual({ small: 10, large: 0, bytes: 30 });
    expect(dropped).toHaveBeenCalledOnce();
    expect(() => large.growTo(31)).toThrow(overloaded);
    expect(() => large.expectNotEvicted()).toThrow(overloaded);
  });

  test("is not taken from bodies that go on arriving, nor from those that have arrived", () => {
    const [arriving, arrived] = [take("a", 20), take("a", 20)];
    arrived.complete();
    passSeconds(2);
    arriving.growTo(20);
    expect(() => take("a", 1)).toThrow(overloaded);
    expect(() => pool.holdFor("a").expectRoomFor(1)).toThrow(overloaded);
  });
});

describe("an upload", () => {
  const fill = () => {
    const holds = ["a", "b", "c", "d", "e"].map((caller) => isolateState.uploads.holdFor(caller));
    for (const hold of holds) while (tryToGrow(hold));
    return holds;
  };
  const tryToGrow = (hold: BufferHold) => {
    try {
      hold.growTo(hold.bytes + mebibyte / 2);
      return true;
    } catch {
      return false;
    }
  };

  test("is 503 with Retry-After where there is no room, with and without Content-Length; a small one is captioned", async () => {
    watchWarnings();
    const holds = fill();
    const large = new Uint8Array(8 * mebibyte);
    const post = (headers: Record<string, string>) =>
      callWorker("/v1/captions", { method: "POST", body: large, headers });
    for (const response of [await post({ "Content-Length": String(large.length) }), await post({})]) {
      expect(response.headers.get("Retry-After")).toBe("1");
      await readProblem(response, "overloaded");
    }
    await readCaption(await postPhoto(freshPhoto()));
    for (const hold of holds) hold.release();
  });

  test("and a look-up are answered while four uploads stand still that have declared 64 MiB", async () => {
    watchWarnings();
    const declared = [20, 20, 20, 4].map((size) => ({ "Content-Length": String(size * mebibyte) }));
    const stalled = declared.map((headers) => {
      const { readable, writable } = new IdentityTransformStream();
      const writer = writable.getWriter();
      void writer.write(new Uint8Array([0xff])).catch(() => undefined);
      const environment = { BODY_TIMEOUT_MS: "1500" };
      return callWorker("/v1/captions", { method: "POST", body: readable, headers, environment });
    });
    await vi.waitUntil(() => isolateState.uploads.bytes >= 4 * 4096);
    expect(isolateState.uploads.bytes).toBe(4 * 4096);
    const photo = freshPhoto();
    const { id } = await readCaption(await postPhoto(photo));
    const body = JSON.stringify({ ids: [id] });
    const lookup = await callWorker("/v1/captions/lookup", { method: "POST", body });
    expect(Object.keys(lookupReplySchema.parse(await lookup.json()).found)).toEqual([await byteIdOf(photo)]);
    expect(isolateState.uploads.bytes).toBe(4 * 4096);
    for (const response of await Promise.all(stalled)) await readProblem(response, "request_timeout");
  });
});
