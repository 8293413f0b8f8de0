import { execFile } from "node:child_process";
import type { BigIntStats } from "node:fs";
import { stat, utimes } from "node:fs/promises";
import { promisify } from "node:util";
import { isUtf8Path, toDiskPath } from "./disk-path.ts";

const run = promisify(execFile);

/** Returns the metadata of a file, with times to the nanosecond. */
export function statExactly(path: string): Promise<BigIntStats> {
  return stat(toDiskPath(path), { bigint: true });
}

/** Returns a key that is the same for all names (hard links) of a file. */
export async function identityOf(path: string): Promise<string> {
  const { dev, ino } = await statExactly(path);
  return `${dev}:${ino}`;
}

/**
 * Gives a copy the owner, rights, access control list, extended attributes and times of a file. Returns whether it has them
 * all. Node cannot copy lists and attributes; GNU `cp` can, and the `cp` of other systems cannot without the contents.
 */
export async function copyAttributes(file: string, copy: string): Promise<boolean> {
  if (!isUtf8Path(file) || !isUtf8Path(copy)) return false; // arguments of programs are strings
  try {
    await run("cp", ["--attributes-only", "--preserve=mode,ownership,timestamps,xattr", "--", file, copy]);
  } catch {
    return false;
  }
  const [wanted, found] = await Promise.all([statExactly(file), statExactly(copy)]);
  return (["uid", "gid", "mode", "mtimeNs"] as const).every((name) => wanted[name] === found[name]);
}

/**
 * Gives a file the times of another. Returns whether the time of the last change is the same to the nanosecond, which needs
 * `touch`: Node's times are numbers of seconds, exact to a fraction of a microsecond.
 */
export async function copyTimes(from: string, to: string): Promise<boolean> {
  const wanted = await statExactly(from);
  const isSame = async () => (await statExactly(to)).mtimeNs === wanted.mtimeNs;
  await utimes(toDiskPath(to), Number(wanted.atimeNs) / 1e9, Number(wanted.mtimeNs) / 1e9);
  if (await isSame()) return true;
  if (!isUtf8Path(from) || !isUtf8Path(to)) return false;
  await run("touch", ["-r", from, "--", to]).catch(() => undefined); // the check below shows whether it could
  return isSame();
}
