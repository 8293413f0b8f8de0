import type { Precision } from "../captioner/engine.ts";
import { precisions } from "../shared/contract.ts";

/** What a bench found. */
export interface BenchResult {
  /** Tells apart the results of a bench that has several. */
  variant?: string;
  /** The figure that stands against the target. */
  number: number;
  /** Both sides of the ratio with their unit; `peer` is `none` where a bench has no peer. */
  ours: string;
  peer: string;
}

export interface Bench {
  name: string;
  /** What is measured, and the target. */
  about: string;
  /** Its results, or a sentence that says why it cannot run here. */
  run(): Promise<BenchResult | BenchResult[] | string>;
}

/** Measures in one precision after the other; their results are told apart by it. */
export async function inEachPrecision(measure: (precision: Precision) => Promise<BenchResult>): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const precision of precisions) results.push({ ...(await measure(precision)), variant: precision });
  return results;
}

/**
 * Times two pieces of work in turns, so that whatever else the machine does falls on both: medians in milliseconds
 * over `rounds` rounds, behind one that is not counted.
 */
export async function timeInTurns(
  rounds: number,
  { ours, peer }: { ours: () => Promise<unknown>; peer: () => Promise<unknown> },
): Promise<{ oursMs: number; peerMs: number }> {
  const times = { ours: [] as number[], peer: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    for (const [side, work] of [
      ["ours", ours],
      ["peer", peer],
    ] as const) {
      const begun = performance.now();
      await work();
      if (round >= 0) times[side].push(performance.now() - begun);
    }
  }
  return { oursMs: median(times.ours), peerMs: median(times.peer) };
}

/** The value in the middle; of an even number the upper of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}
