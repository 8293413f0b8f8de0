import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Admission } from "../../../gpu-service/http/admission.ts";
import { CaptionError } from "../../../shared/errors.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("lets in as many requests as it may, and another for each that leaves", () => {
  const admission = new Admission({ maxRequests: 2, maxBytes: 1000, bulkShare: 0.5 });
  const [first] = [admission.admit(1), admission.admit(1)];
  const detail = "expected at most 2 requests at once";
  expect(() => admission.admit(1)).toThrow(expect.objectContaining({ code: "overloaded", message: detail }));
  first.release();
  admission.admit(1);
  expect(admission.requests).toBe(2);
});

test("lets in as many bytes as it may, by what is known of each photo", () => {
  const admission = new Admission({ maxRequests: 10, maxBytes: 1000, bulkShare: 0.5 });
  const reservation = admission.admit(900);
  const detail = "expected at most 1000 bytes of photos at once";
  expect(() => admission.admit(101)).toThrow(expect.objectContaining({ code: "overloaded", message: detail }));
  reservation.resize(100);
  admission.admit(900);
  expect(admission.bytes).toBe(1000);
});

test("gives bulk its share of the requests, and the rest to people", () => {
  const admission = new Admission({ maxRequests: 5, maxBytes: 1000, bulkShare: 0.5 });
  const [bulk] = [admission.admit(1, "bulk"), admission.admit(1, "bulk")];
  const detail = "expected at most 2 requests of bulk priority at once";
  expect(() => admission.admit(1, "bulk")).toThrow(expect.objectContaining({ code: "overloaded", message: detail }));
  for (let person = 0; person < 3; person++) admission.admit(1);
  bulk.release();
  admission.admit(1);
  expect(() => admission.admit(1, "bulk")).toThrow("expected at most 5 requests at once");
  expect([admission.requestsOf("bulk"), admission.requestsOf("interactive")]).toEqual([1, 4]);
});

test("gives bulk its share of the bytes, or one larger photo", () => {
  const admission = new Admission({ maxRequests: 10, maxBytes: 1000, bulkShare: 0.5 });
  const large = admission.admit(600, "bulk");
  const detail = "expected at most 500 bytes of photos of bulk priority at once";
  expect(() => admission.admit(1, "bulk")).toThrow(expect.objectContaining({ code: "overloaded", message: detail }));
  large.resize(400);
  admission.admit(100, "bulk");
  admission.admit(500);
  expect(admission.bytes).toBe(1000);
});

test("lets one bulk request in where its share would be none", () => {
  const admission = new Admission({ maxRequests: 1, maxBytes: 1000, bulkShare: 0.01 });
  admission.admit(1, "bulk");
  expect(admission.requests).toBe(1);
});

test("takes a reservation back once, however often it is given", () => {
  const admission = new Admission({ maxRequests: 2, maxBytes: 1000, bulkShare: 0.5 });
  const [first] = [admission.admit(10), admission.admit(20)];
  first.release();
  first.release();
  first.resize(15); // its body had come when its client left
  expect([admission.requests, admission.bytes]).toEqual([1, 20]);
});

test("gives up on those it has let in and on nobody else", () => {
  const admission = new Admission({ maxRequests: 10, maxBytes: 1000, bulkShare: 0.5 });
  const [left, held] = [admission.admit(10), admission.admit(20)];
  left.release();
  const reason = new CaptionError("overloaded", "the end");
  admission.giveUp(reason);
  const later = admission.admit(30);
  expect([left, held, later].map(({ signal }) => signal.aborted)).toEqual([false, true, false]);
  expect(held.signal.reason).toBe(reason);
  expect(admission.requests).toBe(2); // until its answer is sent
});

test("says with a refusal when those in hand will be done, at the pace of the last that were", () => {
  const admission = new Admission({ maxRequests: 100, maxBytes: 1000, bulkShare: 0.5 });
  const reservations = Array.from({ length: 100 }, () => admission.admit(1));
  expect(() => admission.admit(1)).toThrow(expect.objectContaining({ retryAfterSeconds: 1 })); // nothing is known yet
  for (const reservation of reservations.slice(0, 40)) {
    vi.advanceTimersByTime(250);
    admission.countCaption();
    reservation.release();
  }
  for (let filled = 0; filled < 40; filled++) admission.admit(1);
  expect(() => admission.admit(1)).toThrow(expect.objectContaining({ retryAfterSeconds: 25 }));
});

test("does not take a pause for a slow pace", () => {
  const admission = new Admission({ maxRequests: 4, maxBytes: 1000, bulkShare: 0.5 });
  vi.advanceTimersByTime(3_600_000);
  const reservations = [1, 2, 3, 4].map((bytes) => admission.admit(bytes));
  vi.advanceTimersByTime(500);
  admission.countCaption();
  reservations[0]?.release();
  admission.admit(1);
  expect(() => admission.admit(1)).toThrow(expect.objectContaining({ retryAfterSeconds: 2 }));
});

test("takes no hope from requests that end without a caption, and less from each moment without one", () => {
  const admission = new Admission({ maxRequests: 4, maxBytes: 1000, bulkShare: 0.5 });
  const reservations = [1, 2, 3, 4].map((bytes) => admission.admit(bytes));
  vi.advanceTimersByTime(500);
  admission.countCaption();
  for (const reservation of reservations.slice(0, 3)) reservation.release();
  for (let filled = 0; filled < 3; filled++) admission.admit(1);
  vi.advanceTimersByTime(2000);
  expect(() => admission.admit(1)).toThrow(expect.objectContaining({ retryAfterSeconds: 10 }));
});

test("sends nobody away for longer than a minute", () => {
  const admission = new Admission({ maxRequests: 3, maxBytes: 1000, bulkShare: 0.5 });
  const reservations = [1, 2, 3].map((bytes) => admission.admit(bytes));
  vi.advanceTimersByTime(600_000);
  admission.countCaption();
  reservations[0]?.release();
  admission.admit(1);
  expect(() => admission.admit(1)).toThrow(expect.objectContaining({ retryAfterSeconds: 60 }));
});

test("tells when the last one has left", async () => {
  const admission = new Admission({ maxRequests: 2, maxBytes: 1000, bulkShare: 0.5 });
  await admission.untilIdle();
  const reservations = [admission.admit(1), admission.admit(1)];
  const onIdle = vi.fn();
  void admission.untilIdle().then(onIdle);
  reservations[0]?.release();
  await Promise.resolve();
  expect(onIdle).not.toHaveBeenCalled();
  reservations[1]?.release();
  await vi.waitFor(() => expect(onIdle).toHaveBeenCalledOnce());
});
