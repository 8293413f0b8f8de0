import { execFile } from "node:child_process";
import type { BigIntStats } from "node:fs";
import { stat, utimes } from "node:fs/promises";
import { promisify } from "node:util";
import { isUtf8Path, toDiskPath } from "./disk-path.ts";

const run = promisify(execFile);

export function statExactly(path: string): Promise<BigIntStats> {
  return stat(toDiskPath(path), { bigint: true });
}

/** The same for all names of a file. */
export async function identityOf(path: string): Promise<string> {
  const { dev, ino } = await statExactly(path);
  return `${dev}:${ino}`;
}

/**
 * Gives a copy the owner, rights, access control list, extended attributes and times of a file. Returns whether it has
 * them all. Node knows neither lists nor attributes; GNU's `cp` does, and other systems' cannot copy them alone.
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
 * Gives a file the times of another. Returns whether that of its last change is the same to the nanosecond, which takes
 * `touch`: Node's times are numbers of seconds, a fraction of a microsecond apart.
 */
export async function copyTimes(from: string, to: string): Promise<boolean> {
  const wanted = await statExactly(from);
  const isSame = async () => (await statExactly(to)).mtimeNs === wanted.mtimeNs;
  await utimes(toDiskPath(to), Number(wanted.atimeNs) / 1e9, Number(wanted.mtimeNs) / 1e9);
  if (await isSame()) return true;
  if (!isUtf8Path(from) || !isUtf8Path(to)) return false;
  await run("touch", ["-r", from, "--", to]).catch(() => undefined); // what it could not do shows below
  return isSame();
}
