import type { Fault } from "./fault.ts";
import type { LoadedRequest } from "./steady-load.ts";

/** New photos in a row that must be captioned for all to be well again. */
const steadyRun = 5;

export interface Tally {
  sent: number;
  answered: number;
  /** How often each code came. */
  refused: Record<string, number>;
  lost: number;
  cutOff: number;
}

/** Counts what became of requests. */
export function tallyOf(requests: readonly LoadedRequest[]): Tally {
  const tally: Tally = { sent: requests.length, answered: 0, refused: {}, lost: 0, cutOff: 0 };
  for (const { verdict } of requests) {
    if (verdict.kind === "answered") tally.answered += 1;
    else if (verdict.kind === "refused") tally.refused[verdict.code] = (tally.refused[verdict.code] ?? 0) + 1;
    else if (verdict.kind === "lost") tally.lost += 1;
    else tally.cutOff += 1;
  }
  return tally;
}

/** Seconds from mending until new photos are captioned, one after the other; undefined if they are not. */
export function recoveryOf(requests: readonly LoadedRequest[], mendedMs: number): number | undefined {
  const later = requests
    .filter(({ kind, begunMs }) => kind === "new" && begunMs >= mendedMs)
    .toSorted((one, other) => one.begunMs - other.begunMs);
  const firstWell = later.findLastIndex(({ verdict }) => verdict.kind !== "answered") + 1;
  const first = later[firstWell];
  if (first === undefined || later.length - firstWell < steadyRun) return undefined;
  return (first.endedMs - mendedMs) / 1000;
}

/** What was promised and is not so, a sentence each. */
export function brokenPromises(
  { mayRefuse, mayMiss, mayCutOff, recoverySeconds }: Fault,
  {
    requests,
    recovery,
    brokenMs,
  }: { requests: readonly LoadedRequest[]; recovery: number | undefined; brokenMs: number },
): string[] {
  const broken: string[] = [];
  const expect = (isSo: boolean, sentence: string) => void (isSo || broken.push(sentence));
  const known = requests.filter(({ kind }) => kind === "known");
  const { answered, cutOff, sent } = tallyOf(known);
  const all = tallyOf(requests);
  const lost = requests.flatMap(({ verdict }) => (verdict.kind === "lost" ? [verdict.why] : []));
  const wrongCodes = Object.keys(all.refused).filter((code) => !mayRefuse.some((allowed) => allowed === code));
  const isAnswered = ({ verdict }: LoadedRequest) => verdict.kind === "answered";
  const isMiss = ({ verdict }: LoadedRequest) => verdict.kind === "answered" && !verdict.isHit;

  expect(
    requests.filter(({ endedMs }) => endedMs < brokenMs).every(isAnswered),
    "not all was answered before anything was broken",
  );
  expect(lost.length === 0, `${lost.length} lost: ${[...new Set(lost)].join("; ")}`);
  expect(mayCutOff === true || all.cutOff === 0, `${all.cutOff} cut off`);
  expect(answered + cutOff === sent, `${sent - answered - cutOff} of ${sent} photos that the edge knows not answered`);
  expect(
    mayMiss === true || !known.some(isMiss),
    `${known.filter(isMiss).length} photos that the edge knows not from its cache`,
  );
  expect(wrongCodes.length === 0, `refused with ${wrongCodes.join(", ")}`);
  expect(recovery !== undefined, "new photos were not captioned again");
  expect(
    !(recovery !== undefined && recovery > recoverySeconds),
    `well again after ${recovery?.toFixed(1)} s, not ${recoverySeconds}`,
  );
  return broken;
}
