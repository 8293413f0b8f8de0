import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { toDiskPath } from "./disk-path.ts";

/** Part `number` of `of` parts, counted from 1: what one of several machines does. */
export interface Shard {
  number: number;
  of: number;
}

/** Whether something belongs to a shard, by the hexadecimal digits of a hash, so that it stays there when others are added. */
export function isInShard({ number, of }: Shard, hash: string): boolean {
  return Number.parseInt(hash.slice(0, 8), 16) % of === number - 1;
}

/** Hashes a name, for things that are known by their names alone. */
export function hashName(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

/** Names the file of a shard after the file of the whole: `captions.jsonl` → `captions-shard-3-of-16.jsonl`. */
export function shardPath(path: string, { number, of }: Shard): string {
  const extension = extname(path);
  return join(dirname(path), `${basename(path, extension)}-shard-${number}-of-${of}${extension}`);
}

/** Finds the files of all shards beside the file of the whole, in order. Throws a sentence unless one set of them is complete. */
export async function findShards(path: string): Promise<string[]> {
  const names = new Set(await readdir(toDiskPath(dirname(path))));
  const extension = extname(path);
  const start = `${basename(path, extension)}-shard-`;
  const counts = new Set(
    [...names].flatMap((name) => {
      if (!name.startsWith(start) || !name.endsWith(extension)) return [];
      const part = name.slice(start.length, name.length - extension.length);
      return /^[1-9]\d{0,5}-of-[1-9]\d{0,5}$/.test(part) ? [Number(part.split("-of-")[1])] : [];
    }),
  );
  const [of] = counts;
  if (of === undefined)
    throw new Error(`${path}: expected parts beside it, such as ${start}1-of-2${extension}, found none`);
  if (counts.size > 1) {
    throw new Error(
      `${path}: expected parts of one run, found parts of ${[...counts].join(" and of ")}: remove the older`,
    );
  }
  const paths = Array.from({ length: of }, (_, index) => shardPath(path, { number: index + 1, of }));
  const missing = paths.filter((part) => !names.has(basename(part)));
  if (missing.length === 0) return paths;
  throw new Error(
    `${path}: expected ${of} parts, found ${of - missing.length}: ${basename(missing[0] ?? "")} is missing`,
  );
}
