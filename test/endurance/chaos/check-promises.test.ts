import { describe, expect, test } from "vitest";
import { brokenPromises, recoveryOf, tallyOf } from "./check-promises.ts";
import { cutNetwork } from "./faults/network.ts";
import type { LoadedRequest } from "./steady-load.ts";

const answered = { kind: "answered", isHit: false, caption: "a dog", revision: "0123456789ab" } as const;
const hit = { ...answered, isHit: true };
const refused = { kind: "refused", code: "upstream_error" } as const;
const lost = { kind: "lost", why: "socket hang up" } as const;
const brokenMs = 1000;
const mendedMs = 5000;

/** One that takes 100 ms. */
function sent(begunMs: number, verdict: LoadedRequest["verdict"], kind: LoadedRequest["kind"] = "new"): LoadedRequest {
  return { kind, photo: `sha256:${begunMs}`, begunMs, endedMs: begunMs + 100, verdict };
}

/** New photos every half second, refused from 1 s to 6 s, and known ones that are always answered. */
function usualRequests(): LoadedRequest[] {
  const times = Array.from({ length: 20 }, (_, index) => 500 * index);
  return times.flatMap((ms) => [sent(ms, ms < 1000 || ms > 6000 ? answered : refused), sent(ms, hit, "known")]);
}

function brokenBy(changes: LoadedRequest[], fault = cutNetwork): string[] {
  const requests = [...usualRequests(), ...changes];
  return brokenPromises(fault, { requests, recovery: recoveryOf(requests, mendedMs), brokenMs });
}

describe("recoveryOf", () => {
  test("counts from mending to the first of the answers that no refusal follows", () => {
    expect(recoveryOf(usualRequests(), mendedMs)).toBe(1.6);
  });

  test("is none while fewer than five are answered in a row, or where the last is refused", () => {
    expect(
      recoveryOf(
        usualRequests().filter(({ begunMs }) => begunMs < 8500),
        mendedMs,
      ),
    ).toBeUndefined();
    expect(recoveryOf([...usualRequests(), sent(9900, refused)], mendedMs)).toBeUndefined();
  });
});

describe("brokenPromises", () => {
  test("finds none where photos are refused as they may be", () => {
    expect(brokenBy([])).toEqual([]);
    expect(tallyOf(usualRequests())).toEqual({
      sent: 40,
      answered: 29,
      refused: { upstream_error: 11 },
      lost: 0,
      cutOff: 0,
    });
  });

  test.each<[string, LoadedRequest, string]>([
    ["one that is lost", sent(2000, lost), "1 lost: socket hang up"],
    [
      "one that is refused before anything is broken",
      sent(500, refused),
      "not all was answered before anything was broken",
    ],
    [
      "one that is refused with another code",
      sent(2000, { kind: "refused", code: "internal" }),
      "refused with internal",
    ],
    ["one that is cut off", sent(2000, { kind: "cut off" }), "1 cut off"],
    ["a known photo that is refused", sent(2000, refused, "known"), "1 of 21 photos that the edge knows not answered"],
    [
      "a known photo that needs the model",
      sent(2000, answered, "known"),
      "1 photos that the edge knows not from its cache",
    ],
    ["a refusal at the very end", sent(9900, refused), "new photos were not captioned again"],
  ])("tells of %s", (_, request, sentence) => {
    expect(brokenBy([request])).toContain(sentence);
  });

  test("tells of a recovery that takes longer than promised", () => {
    expect(brokenBy([], { ...cutNetwork, recoverySeconds: 1 })).toEqual(["well again after 1.6 s, not 1"]);
  });

  test("lets clients be cut off, and known photos need the model, where the fault says so", () => {
    const changes = [sent(2000, { kind: "cut off" }), sent(2000, answered, "known")];
    expect(brokenBy(changes, { ...cutNetwork, mayCutOff: true, mayMiss: true })).toEqual([]);
  });
});
