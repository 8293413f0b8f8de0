import type { Interval } from "../score/bootstrap.ts";

/** Formats a score or share times 100, as papers print them: `50.9`. */
export function times100(fraction: number): string {
  return (100 * fraction).toFixed(1);
}

/** Formats an interval of fractions times 100, like `47.6–54.1`. */
export function range([low, high]: Readonly<Interval>): string {
  return `${times100(low)}–${times100(high)}`;
}

/** Formats a count like `1 814 182`, in groups that do not break over lines. */
export function grouped(count: number): string {
  return count.toLocaleString("en").replaceAll(",", "\u202f");
}

/** Formats a tensor's shape, `[n, 37, 200]`; n is the batch. */
export function shapeText(shape: readonly (number | null)[]): string {
  const [, ...sizes] = shape;
  return `[${["n", ...sizes.map((size) => size ?? "any")].join(", ")}]`;
}
