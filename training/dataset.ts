import { basename, dirname, extname } from "node:path";

export const splits = ["train", "dev", "test"] as const;

export type Split = (typeof splits)[number];

/** A photo as the data name it. */
export interface DatasetPhoto {
  id: string;
  /** Path of the photo, relative to the dataset's folder. */
  file: string;
  /** Where it is listed: one split as a rule, none where it is not used, several by mistake. */
  splits: readonly Split[];
  /** As they were written, at least one. */
  captions: readonly string[];
  /** The data set that it comes from, where there are several. */
  dataset?: string;
  /** What its captions count beside those of others; 1 where it is left out. */
  weight?: number;
  /** Its captions are pseudo-captions: nobody wrote them for it, they are sentences that were chosen for it. */
  hasPseudoCaptions?: true;
  /** Its data set has no splits: a tenth of that is set aside. */
  needsSplit?: true;
}

/** Captioned photos, in the order of their captions. */
export interface Dataset {
  folder: string;
  /** SHA-256 of each file that was read, by its name. */
  sources: Record<string, string>;
  photos: readonly DatasetPhoto[];
  /** Whether all of the data say what is for training. */
  hasSplits: boolean;
  findings: Pick<Findings, "duplicated" | "withoutCaptions">;
}

/** What is odd about the data, by kind: names of photos, with a word of explanation where it takes one. */
export interface Findings {
  missing: string[];
  unusable: string[];
  duplicated: string[];
  inTwoSplits: string[];
  withoutCaptions: string[];
  inNoSplit: string[];
  /** With a caption that cleaning leaves no word of. */
  wordless: string[];
}

/** A place with captioned photos, as the command line names it. */
export interface DataSource {
  /** Absolute. */
  path: string;
  /** What its captions count beside those of others, above 0. */
  weight: number;
  /** Whether all of its photos are dev photos, to choose by and never to learn from. */
  isDev: boolean;
}

/** Names of files that say what is in them and not of what. */
const usualNames = new Set(["captions", "corrected", "results", "metadata", "dataset", "annotations"]);

/**
 * The sources by name, after their files or folders; `holiday/captions.jsonl` is called after its folder. Where two would be
 * called the same, the later ones are numbered.
 */
export function nameSources(sources: readonly Pick<DataSource, "path">[]): string[] {
  const times = new Map<string, number>();
  return sources.map(({ path }) => {
    const own = basename(path, extname(path));
    const name = (usualNames.has(own) && basename(dirname(path))) || own;
    const count = (times.get(name) ?? 0) + 1;
    times.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}

/** A place, or a place and its weight like `captions.jsonl:0.5`. Throws a sentence for a weight of 0 or below. */
export function parseDataSource(text: string): Omit<DataSource, "isDev"> {
  const { path, weight } = /^(?<path>.+):(?<weight>-?(\d+\.?\d*|\.\d+))$/.exec(text)?.groups ?? {};
  if (path === undefined) return { path: text, weight: 1 };
  if (Number(weight) > 0) return { path, weight: Number(weight) };
  throw new Error(
    `expected a weight above 0, found ${weight}: leave ${path} out where nothing is to be learnt from it`,
  );
}
