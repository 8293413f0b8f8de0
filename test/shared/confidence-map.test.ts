import { describe, expect, test } from "vitest";
import { confidenceMapSchema, mapConfidence } from "../../shared/confidence-map.ts";

const points = [
  { raw: 0.2, calibrated: 0.3 },
  { raw: 0.4, calibrated: 0.5 },
  { raw: 0.6, calibrated: 0.5 },
];

describe("a confidence map", () => {
  test.each([
    [0, 0.3],
    [0.2, 0.3],
    [0.25, 0.35],
    [0.4, 0.5],
    [0.5, 0.5],
    [0.9, 0.5],
  ])("maps %d to %d", (raw, expected) => {
    expect(mapConfidence(points, raw)).toBeCloseTo(expected, 10);
  });

  test("of one point is level", () => {
    expect([0, 1].map((raw) => mapConfidence(points.slice(0, 1), raw))).toEqual([0.3, 0.3]);
  });

  test.each([
    ["none", []],
    ["one that falls", [points[1], { raw: 0.7, calibrated: 0.4 }]],
    ["the same place twice", [points[0], points[0]]],
    ["one above 1", [{ raw: 0.5, calibrated: 1.5 }]],
  ])("is refused with %s", (_, wrong) => {
    expect(confidenceMapSchema.safeParse(wrong).success).toBe(false);
  });
});
