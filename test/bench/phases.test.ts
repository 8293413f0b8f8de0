import { expect, test } from "vitest";
import { phaseChart, phaseTable } from "../../bench/phases.ts";

const stay = { name: "alone, 500 × 375", ms: { decode: 10, queue: 0, encode: 60, search: 20, rest: 10 } };

test("divides a bar as the stay was", () => {
  const chart = phaseChart([stay]);
  expect(chart).toContain("alone, 500 × 375: 100 ms");
  const pieces = [...chart.matchAll(/x="([\d.]+)" y="66" width="([\d.]+)"/g)].map(([, x, width]) =>
    [x, width].map(Number),
  );
  const [first = [], ...others] = pieces;
  expect(pieces).toHaveLength(5);
  let end = Number(first[0]) + Number(first[1]);
  for (const [x = Number.NaN, width = Number.NaN] of others) {
    expect(x).toBeCloseTo(end, 1);
    end = x + width;
  }
  const whole = end - Number(first[0]);
  expect(Number(pieces[2]?.[1]) / whole).toBeCloseTo(0.6, 2);
  expect(chart.match(/class="share"[^>]*>[^<]*/g)?.map((text) => text.split(">")[1])).toEqual([
    "10 %",
    "60 %",
    "20 %",
    "10 %",
  ]);
});

test("tells the same as a table", () => {
  expect(phaseTable([stay]).split("\n").at(-1)).toBe("| alone, 500 × 375 | 10.0 | 0.0 | 60.0 | 20.0 | 10.0 |");
});
