import { basename, dirname, extname } from "node:path";

export const splits = ["train", "dev", "test"] as const;

export type Split = (typeof splits)[number];

/** A photo as its data set lists it. */
export interface DatasetPhoto {
  id: string;
  /** Path of the photo, relative to the data set's folder. */
  file: string;
  /** The splits that list it: normally one, none for a photo that is not used, several by mistake. */
  splits: readonly Split[];
  /** Captions as written, at least one. */
  captions: readonly string[];
  /** Name of the data set that it comes from; set if there are several. */
  dataset?: string;
  /** Weight of its captions in training; 1 by default. */
  weight?: number;
  /** Set if its captions are pseudo-captions: sentences that were chosen for it, not written for it. */
  hasPseudoCaptions?: true;
  /** Set if its data set has no splits, so that a tenth has to be set aside. */
  needsSplit?: true;
}

/** Captioned photos, in the order of their captions. */
export interface Dataset {
  folder: string;
  /** SHA-256 of each file that was read, by name. */
  sources: Record<string, string>;
  photos: readonly DatasetPhoto[];
  /** Whether all of the data state which photos are for training. */
  hasSplits: boolean;
  findings: Pick<Findings, "duplicated" | "withoutCaptions">;
}

/** Oddities in the data by kind: names of photos, with an explanation if one is needed. */
export interface Findings {
  missing: string[];
  unusable: string[];
  duplicated: string[];
  inTwoSplits: string[];
  withoutCaptions: string[];
  inNoSplit: string[];
  /** Photos with a caption of which cleaning leaves no word. */
  wordless: string[];
}

/** A source of captioned photos, as the command line names it. */
export interface DataSource {
  /** Absolute path of a file or folder. */
  path: string;
  /** Weight of its captions in training, above 0. */
  weight: number;
  /** Whether all of its photos are dev photos: used to choose between epochs, never learnt from. */
  isDev: boolean;
}

/** File names that describe a format rather than a data set. */
const usualNames = new Set(["captions", "corrected", "results", "metadata", "dataset", "annotations"]);

/**
 * Names sources after their files or folders; `holiday/captions.jsonl` is named after its folder. Later ones of the
 * same name are numbered.
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

/** Parses a path, or a path with a weight like `captions.jsonl:0.5`. Throws a sentence for a weight of 0 or below. */
export function parseDataSource(text: string): Omit<DataSource, "isDev"> {
  const { path, weight } = /^(?<path>.+):(?<weight>-?(\d+\.?\d*|\.\d+))$/.exec(text)?.groups ?? {};
  if (path === undefined) return { path: text, weight: 1 };
  if (Number(weight) > 0) return { path, weight: Number(weight) };
  throw new Error(
    `expected a weight above 0, found ${weight}: leave ${path} out where nothing is to be learnt from it`,
  );
}
