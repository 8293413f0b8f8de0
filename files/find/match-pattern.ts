import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { glob } from "tinyglobby";
import { toDiskPath } from "../disk-path.ts";

/** A path with wildcards, by the parts between its slashes. */
export interface Pattern {
  text: string;
  parts: readonly string[];
}

/** More of them would be no pattern of a person's. */
const maxReadings = 64;

/** Undefined for a path without wildcards. */
export function readPattern(text: string): Pattern | undefined {
  const isPattern = /[*?]|\[.+\]|\{.+\}|[@!+?*]\(.+\)/.test(text);
  return isPattern ? { text, parts: splitParts(text) } : undefined;
}

/** The folder that a pattern's parts lead to which exist by these very names. */
export function literalFolderOf({ parts }: Pattern, folder: string): string {
  return resolve(folder, pathOf(literalParts(parts, folder)));
}

/**
 * What matches a pattern. Parts that exist by their very names, such as `photos (2023)`, are taken for names. Others are read
 * in several ways, from what a person is likely to mean to all that the matcher knows; the first that matches something counts.
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

/** The parts of a pattern up to the first that does not exist. */
function literalParts(parts: readonly string[], folder: string): string[] {
  let count = 0;
  while (count < parts.length - 1 && existsSync(toDiskPath(resolve(folder, `${parts.slice(0, count + 1).join("/")}/`))))
    count += 1;
  return parts.slice(0, count);
}

const parentheses = /\\.|[()!+@|]/g;
const allButWildcards = /\\.|[()!+@|[\]{}]/g;

/** `*` and `?` always mean something; brackets and braces beside them rather do, alone rather not; parentheses hardly ever. */
function readingsOf(part: string): string[] {
  const usual = escapeWith(part, parentheses);
  const plain = escapeWith(part, allButWildcards);
  return [...new Set(/[*?]/.test(part) ? [usual, plain, part] : [plain, usual, part])];
}

/** What is escaped already stays so. */
function escapeWith(part: string, special: RegExp): string {
  return part.replace(special, (found) => (found.length > 1 ? found : `\\${found}`));
}

/** One of each, in all combinations, the first of each first. */
function combine(choices: readonly (readonly string[])[]): string[][] {
  return choices.reduce<string[][]>(
    (rows, choice) => rows.flatMap((row) => choice.map((one) => [...row, one])).slice(0, maxReadings),
    [[]],
  );
}

/** At slashes, without those between braces. */
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
