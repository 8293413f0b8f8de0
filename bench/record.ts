import {
  type BenchResults,
  benchResultsSchema,
  originNow,
  readResults,
  writeResults,
} from "../scripts/docs/results.ts";

export type RecordedResult = BenchResults["results"][number];

/** Writes results to docs/results/bench.json, whose other results stay as they are. */
export async function recordResults(results: RecordedResult[], { isWholeRun }: { isWholeRun: boolean }): Promise<void> {
  const { results: all, ...origin } = mergeResults(await readResults("bench.json", benchResultsSchema), {
    ...originNow(),
    results,
    isWholeRun,
  });
  await writeResults("bench.json", { results: all }, origin);
}

/**
 * Puts new results in the place of those of the same name, and others at the end. After a whole run they come first, as the
 * run's own; what it passed over stays, as measured apart, and so are the results of a run that is not whole.
 */
export function mergeResults(
  { results: recorded, ...recordedIn }: BenchResults,
  { results: fresh, isWholeRun, ...freshIn }: BenchResults & { isWholeRun: boolean },
): BenchResults {
  const isFresh = ({ name }: RecordedResult) => fresh.some((result) => result.name === name);
  if (isWholeRun) {
    const passedOver = recorded.filter((result) => !isFresh(result));
    return { ...freshIn, results: [...fresh, ...passedOver.map((result) => ({ apart: recordedIn, ...result }))] };
  }
  const apart = new Map(fresh.map((result) => [result.name, { ...result, apart: freshIn }]));
  const inPlace = recorded.map((result) => apart.get(result.name) ?? result);
  const added = [...apart.values()].filter(({ name }) => !recorded.some((result) => result.name === name));
  return { ...recordedIn, results: [...inPlace, ...added] };
}
