import type { CaptionedPhoto, Findings, Split } from "../dataset.ts";

/** Of photos in several splits, the split that keeps them: what is scored must not have been learnt. */
const byRank: readonly Split[] = ["test", "dev", "train"];

/** Photos are set aside whose SHA-256 starts with a number below this, of 2³². */
const setAsideBelow = 0.1 * 2 ** 32;

export interface DigestedPhoto extends CaptionedPhoto {
  sha256: string;
}

export interface AssignedPhoto extends DigestedPhoto {
  split: Split;
}

interface Assignment {
  /** In the order in which they came; photos that a better split keeps are left out. */
  photos: AssignedPhoto[];
  findings: Pick<Findings, "duplicated" | "inTwoSplits">;
}

/**
 * Sets a tenth of each data set without splits aside as dev. It goes by the photo's bytes, so that a photo stays where it is
 * when it is renamed or others come, and copies go together. Of two photos or more, at least one is set aside.
 */
export function setTenthAside(photos: readonly DigestedPhoto[]): DigestedPhoto[] {
  const lowest = new Map<string | undefined, string>();
  const digests = new Map<string | undefined, Set<string>>();
  for (const { dataset, sha256, needsSplit } of photos) {
    if (!needsSplit) continue;
    const least = lowest.get(dataset);
    if (least === undefined || sha256 < least) lowest.set(dataset, sha256);
    digests.set(dataset, (digests.get(dataset) ?? new Set()).add(sha256));
  }
  const isSetAside = ({ dataset, sha256 }: DigestedPhoto) =>
    Number.parseInt(sha256.slice(0, 8), 16) < setAsideBelow ||
    (sha256 === lowest.get(dataset) && (digests.get(dataset)?.size ?? 0) > 1);
  return photos.map(({ needsSplit, ...photo }) =>
    needsSplit ? { ...photo, splits: [isSetAside(photo) ? "dev" : "train"] } : photo,
  );
}

/** Gives every photo one split, and keeps it and its copies under other names out of the others. */
export function assignSplits(photos: readonly DigestedPhoto[]): Assignment {
  const twins = new Map<string, DigestedPhoto[]>();
  for (const photo of photos) twins.set(photo.sha256, [...(twins.get(photo.sha256) ?? []), photo]);
  const assignment: Assignment = { photos: [], findings: { duplicated: [], inTwoSplits: [] } };
  for (const photo of photos) assignOne(photo, { twins: twins.get(photo.sha256) ?? [photo], assignment });
  return assignment;
}

function assignOne(
  photo: DigestedPhoto,
  { twins, assignment }: { twins: readonly DigestedPhoto[]; assignment: Assignment },
): void {
  const { photos, findings } = assignment;
  const split = byRank.find((candidate) => twins.some(({ splits }) => splits.includes(candidate)));
  if (split === undefined) return;
  const isKept = photo.splits.includes(split);
  if (isKept) photos.push({ ...photo, split });
  const original = twins.find(({ splits }) => splits.includes(split)) ?? photo;
  if (photo.splits.some((other) => other !== split)) {
    const reason = isKept ? "" : `, a copy of ${original.file}`;
    findings.inTwoSplits.push(`${photo.file} (${photo.splits.join(" and ")}${reason}; kept for ${split})`);
  } else if (photo !== original) findings.duplicated.push(`${photo.file} (a copy of ${original.file})`);
}
