import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Arrival, readBody } from "../../../files/remote/read-body.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settled = async (reading: Promise<unknown>) => {
  const outcome = await Promise.race([reading.catch((error: unknown) => error), Promise.resolve("under way")]);
  return outcome;
};

/** A body that is written by hand. */
function handBody(): Readable {
  return new Readable({ read() {} });
}

test("a photo that stops arriving is given up, and so is one that never ends", async () => {
  const [silent, slow] = [handBody(), handBody()];
  const arrivals = [new Arrival(), new Arrival()] as const;
  const readings = [silent, slow].map((body, index) =>
    readBody(body, { maxBytes: 1000, arrival: arrivals[index] ?? new Arrival() }).catch((error: unknown) => error),
  );
  silent.push("a");
  await vi.advanceTimersByTimeAsync(1000);
  for (let second = 0; second < 29; second++) {
    slow.push("a");
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(await settled(readings[0] ?? Promise.resolve())).toBe("under way");
  await vi.advanceTimersByTimeAsync(1000);
  const sentence = "it did not arrive in time: at most 30 s without a byte, 300 s in all";
  expect(await readings[0]).toMatchObject({ message: sentence, retryAfterMs: 0 });
  for (let second = 31; second < 300; second++) {
    slow.push("a");
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(await readings[1]).toMatchObject({ message: sentence });
});

test("a whole photo is joined, and a longer one than allowed is not read to its end", async () => {
  const arrival = new Arrival();
  const pieces = [Buffer.from("ab"), Buffer.from("c")];
  expect(await readBody(Readable.from(pieces), { maxBytes: 3, arrival })).toEqual(new TextEncoder().encode("abc"));
  const body = Readable.from(pieces);
  await expect(readBody(body, { maxBytes: 2, arrival })).rejects.toThrow("at most 2 bytes, received more");
  expect(body.destroyed).toBe(true);
  arrival.end();
});
