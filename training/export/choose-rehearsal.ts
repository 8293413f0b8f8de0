/** A photo that may be rehearsed. */
export interface RehearsalCandidate {
  /** Orders the photos as chance would, the same each time: its SHA-256, say. */
  key: string;
  /** Data set that it comes from; each gives its share. */
  group: string;
  /** The words of its captions. */
  words: ReadonlySet<string>;
}

/**
 * Chooses `count` photos. Each group gives as many as the others, or all it has. Half of a group's are drawn, so that they
 * are like the rest; the other half are those whose words the ones before have least, so that few words are forgotten.
 */
export function chooseRehearsal<Candidate extends RehearsalCandidate>(
  candidates: readonly Candidate[],
  count: number,
): Candidate[] {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) groups.set(candidate.group, [...(groups.get(candidate.group) ?? []), candidate]);
  const smallestFirst = [...groups.values()].toSorted((one, other) => one.length - other.length);
  const chosen: Candidate[] = [];
  const said = new Map<string, number>();
  for (const [index, own] of smallestFirst.entries()) {
    const share = Math.floor((count - chosen.length) / (smallestFirst.length - index));
    chosen.push(...chooseFrom(own, { share, said }));
  }
  return chosen;
}

function chooseFrom<Candidate extends RehearsalCandidate>(
  candidates: readonly Candidate[],
  { share, said }: { share: number; said: Map<string, number> },
): Candidate[] {
  const byKey = candidates.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  const chosen = byKey.slice(0, Math.ceil(share / 2));
  const say = ({ words }: Candidate) => {
    for (const word of words) said.set(word, (said.get(word) ?? 0) + 1);
  };
  for (const candidate of chosen) say(candidate);
  const left = new Set(byKey.slice(chosen.length));
  while (chosen.length < share && left.size > 0) {
    const best = mostNew(left, said);
    left.delete(best);
    chosen.push(best);
    say(best);
  }
  return chosen;
}

/** The one whose words were said least: the sum of 1 / (1 + times said)². Of equals the first. */
function mostNew<Candidate extends RehearsalCandidate>(
  candidates: ReadonlySet<Candidate>,
  said: ReadonlyMap<string, number>,
): Candidate {
  let best: { candidate: Candidate; worth: number } | undefined;
  for (const candidate of candidates) {
    let worth = 0;
    for (const word of candidate.words) worth += 1 / (1 + (said.get(word) ?? 0)) ** 2;
    if (best === undefined || worth > best.worth) best = { candidate, worth };
  }
  if (best === undefined) throw new Error("expected something to choose from, found nothing");
  return best.candidate;
}
