import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import pMap from "p-map";
import { sha256Of } from "../../captioner/bundle.ts";
import { toDiskPath } from "../../files/disk-path.ts";
import { readPhotoFile } from "../../files/read-photo-file.ts";
import { CaptionError } from "../../shared/errors.ts";
import { readImageHeader } from "../../shared/image-header.ts";
import { showProgress } from "../../terminal/progress.ts";
import type { Dataset, DatasetPhoto, Findings, Split } from "../dataset.ts";

const filesAtOnce = 8;

/**
 * Digests names, sizes and modification times of all photos: a fast check whether any of them changed. Also finds
 * missing ones.
 */
export async function statPhotos({ folder, photos }: Dataset): Promise<{ digest: string; missing: Set<DatasetPhoto> }> {
  const missing = new Set<DatasetPhoto>();
  const lines = await pMap(
    photos,
    async (photo) => {
      const found = await stat(toDiskPath(resolve(folder, photo.file))).catch(() => undefined);
      if (found?.isFile()) return `${photo.file}\t${found.size}\t${found.mtimeMs}\n`;
      missing.add(photo);
      return `${photo.file}\n`;
    },
    { concurrency: filesAtOnce },
  );
  return { digest: sha256Of(lines.join("")), missing };
}

/** Chooses the photos to learn from or to score by, each in one split, and reports the oddities of the others. */
export async function choosePhotos(
  dataset: Dataset,
  { missing }: { missing: ReadonlySet<DatasetPhoto> },
): Promise<{ photos: AssignedPhoto[]; findings: Omit<Findings, "wordless"> }> {
  const there = dataset.photos.filter((photo) => !missing.has(photo));
  const gone = dataset.photos.filter((photo) => missing.has(photo)).map(({ file }) => file);
  if (there.length === 0) throw new Error(`expected the photos in ${dataset.folder}, found none, not even ${gone[0]}`);
  const isListed = ({ splits, needsSplit }: DatasetPhoto) => needsSplit || splits.length > 0;
  const { usable, unusable } = await examinePhotos(dataset.folder, there.filter(isListed));
  const { photos, findings } = assignSplits(setTenthAside(usable));
  return {
    photos,
    findings: {
      missing: gone,
      unusable,
      duplicated: [...dataset.findings.duplicated, ...findings.duplicated],
      inTwoSplits: findings.inTwoSplits,
      withoutCaptions: dataset.findings.withoutCaptions,
      inNoSplit: there.filter((photo) => !isListed(photo)).map(({ file }) => file),
    },
  };
}

interface Examined {
  usable: DigestedPhoto[];
  /** Paths, each with what is wrong with the file. */
  unusable: string[];
}

/** Reads photos for their digests and headers. Both lists are in the photos' order. */
async function examinePhotos(folder: string, photos: readonly DatasetPhoto[]): Promise<Examined> {
  const progress = showProgress("reading photos", { total: photos.length, unit: "photos" });
  const examine = async (photo: DatasetPhoto): Promise<DigestedPhoto | string> => {
    const bytes = await readPhotoFile(resolve(folder, photo.file));
    const problem = findProblem(bytes);
    progress.advance();
    return problem === undefined ? { ...photo, sha256: sha256Of(bytes) } : `${photo.file} (${problem})`;
  };
  try {
    const outcomes = await pMap(photos, examine, { concurrency: filesAtOnce });
    return {
      usable: outcomes.filter((outcome) => typeof outcome !== "string"),
      unusable: outcomes.filter((outcome) => typeof outcome === "string"),
    };
  } finally {
    progress.end();
  }
}

/** Returns why bytes are not a photo, as far as the header shows. */
function findProblem(bytes: Uint8Array): string | undefined {
  try {
    readImageHeader(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof CaptionError) return error.message;
    throw error;
  }
}

/** Splits by precedence for photos in several of them: nothing that is scored may have been learnt. */
const byRank: readonly Split[] = ["test", "dev", "train"];

/** Limit for the first 32 bits of a photo's SHA-256, below which it is set aside. */
const setAsideBelow = 0.1 * 2 ** 32;

interface DigestedPhoto extends DatasetPhoto {
  sha256: string;
}

export interface AssignedPhoto extends DigestedPhoto {
  split: Split;
}

interface Assignment {
  /** Photos in their order, without those that a split of higher precedence keeps. */
  photos: AssignedPhoto[];
  findings: Pick<Findings, "duplicated" | "inTwoSplits">;
}

/**
 * Sets aside a tenth of each data set without splits as dev. The choice depends on the photo's bytes, so that it stays
 * when photos are renamed or added, and copies stay together. Of two or more photos, at least one is set aside.
 */
function setTenthAside(photos: readonly DigestedPhoto[]): DigestedPhoto[] {
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

/** Assigns every photo one split, and keeps it and its copies out of the others. */
function assignSplits(photos: readonly DigestedPhoto[]): Assignment {
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
