import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { glob } from "tinyglobby";
import { toDiskPath } from "../disk-path.ts";

/** A path with wildcards, split at its slashes. */
export interface Pattern {
  text: string;
  parts: readonly string[];
}

/** The most ways to read a pattern; no pattern that a person types has more. */
const maxReadings = 64;

/** Parses a pattern; returns undefined for a path without wildcards. */
export function readPattern(text: string): Pattern | undefined {
  const isPattern = /[*?]|\[.+\]|\{.+\}|[@!+?*]\(.+\)/.test(text);
  return isPattern ? { text, parts: splitParts(text) } : undefined;
}

/** Returns the folder that a pattern's leading parts name literally. */
export function literalFolderOf({ parts }: Pattern, folder: string): string {
  return resolve(folder, pathOf(literalParts(parts, folder)));
}

/**
 * Finds what matches a pattern. Leading parts that exist by their very names, such as `photos (2023)`, are names. Others are
 * read in several ways, from what a person is likely to mean to all that the matcher knows; the first that matches counts.
 */
export async function matchPattern({ parts }: Pattern, folder: string): Promise<string[]> {
  const names = literalParts(parts, folder);
  const options = { cwd: resolve(folder, pathOf(names)), onlyFiles: false, expandDirectories: false };
  for (const reading of combine(parts.slice(names.length).map(readingsOf))) {
    const pattern = reading.join("/");
    if (/^!(?!\()/.test(pattern)) continue; // it would be what not to match
    const matches = await glob(pattern, options);
    if (matches.length > 0) return matches.map((match) => [...names, match].join("/"));
  }
  return [];
}

function pathOf(parts: readonly string[]): string {
  return parts.length === 1 && parts[0] === "" ? "/" : parts.join("/");
}

/** Returns the parts of a pattern before the first that does not exist. */
function literalParts(parts: readonly string[], folder: string): string[] {
  let count = 0;
  while (count < parts.length - 1 && existsSync(toDiskPath(resolve(folder, `${parts.slice(0, count + 1).join("/")}/`))))
    count += 1;
  return parts.slice(0, count);
}

const parentheses = /\\.|[()!+@|]/g;
const allButWildcards = /\\.|[()!+@|[\]{}]/g;

/** `*` and `?` are always wildcards; brackets and braces probably are beside them, and probably not alone; parentheses hardly ever. */
function readingsOf(part: string): string[] {
  const usual = escapeWith(part, parentheses);
  const plain = escapeWith(part, allButWildcards);
  return [...new Set(/[*?]/.test(part) ? [usual, plain, part] : [plain, usual, part])];
}

/** Escapes characters, except those that are escaped already. */
function escapeWith(part: string, special: RegExp): string {
  return part.replace(special, (found) => (found.length > 1 ? found : `\\${found}`));
}

/** Combines one of each in all ways, the first of each first. */
function combine(choices: readonly (readonly string[])[]): string[][] {
  return choices.reduce<string[][]>(
    (rows, choice) => rows.flatMap((row) => choice.map((one) => [...row, one])).slice(0, maxReadings),
    [[]],
  );
}

/** Splits at slashes, except those between braces. */
function splitParts(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    if (character === "{") depth += 1;
    if (character === "}") depth = Math.max(0, depth - 1);
    if (character === "/" && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return depth === 0 ? parts : text.split("/");
}
