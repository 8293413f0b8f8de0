import { basename, dirname, extname } from "node:path";

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
