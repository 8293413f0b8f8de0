import { relative } from "node:path";
import { InvalidArgumentError } from "commander";

const unitMs: Record<string, number> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** Reads a whole number from 1. */
export function readCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number from 1.");
}

/** Makes a reader of whole numbers from 1 to `most`. */
export function countUpTo(most: number): (text: string) => number {
  return (text) => {
    if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${most}.`);
  };
}

/** Reads a share from 0 to 1. */
export function readShare(text: string): number {
  const share = Number(text);
  if (text.trim() !== "" && share >= 0 && share <= 1) return share;
  throw new InvalidArgumentError("Expected a number from 0 to 1.");
}

/**
 * Reads a shard such as `3/16`. `auto` is the one of this pod of a Kubernetes Indexed Job, whose index counts from 0; the job
 * sets JOB_COMPLETION_INDEX, and its manifest has to set JOB_COMPLETION_COUNT.
 */
export function readShard(text: string): { number: number; of: number } {
  const { JOB_COMPLETION_INDEX: index = "", JOB_COMPLETION_COUNT: count = "" } = process.env;
  const part = text === "auto" && /^\d+$/.test(index) ? `${Number(index) + 1}/${count}` : text;
  const [, number = 0, of = 0] = (/^(\d{1,6})\/(\d{1,6})$/.exec(part) ?? []).map(Number);
  if (number >= 1 && number <= of) return { number, of };
  throw new InvalidArgumentError(
    text === "auto"
      ? "Expected JOB_COMPLETION_INDEX below JOB_COMPLETION_COUNT in the environment."
      : "Expected a part of the whole, like 3/16.",
  );
}

/** Reads a moment in milliseconds: a date or a time as ISO 8601 writes it, local if no zone is named, or how long ago, like `7d`. */
export function readMoment(text: string): number {
  const [, count, unit = ""] = /^(\d+)([hdw])$/.exec(text) ?? [];
  if (count !== undefined) return Date.now() - Number(count) * (unitMs[unit] ?? 0);
  const moment = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00`) : Date.parse(text);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(moment)) return moment;
  throw new InvalidArgumentError(
    "Expected a date like 2026-05-01, a time like 2026-05-01T12:00, or an age like 36h, 7d, 2w.",
  );
}

/**
 * Returns the folder that relative paths on a command line start from. npm runs a package's scripts in the package's folder
 * and sets INIT_CWD to where it was called; that counts only if the npm script itself starts this program.
 */
export function invocationFolder(): string {
  const [, program = ""] = process.argv;
  const script = process.env.npm_lifecycle_script?.split(" ") ?? [];
  const isOurs = script.includes(relative(process.cwd(), program));
  return (isOurs && process.env.INIT_CWD) || process.cwd();
}
