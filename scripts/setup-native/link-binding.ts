import { lstat, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { type NativeSetup, nativeRecordPath } from "../../captioner/engines/native-setup.ts";
import { writeWhole } from "../../files/write-whole.ts";

interface Linking<Report> {
  packageFolder: string;
  /** Folder with the library and the binding. */
  root: string;
  /** Runs the linked library; throws if that fails. */
  check(): Promise<Report>;
  /** Returns what to record after the check. */
  describe(report: Report): NativeSetup;
}

/**
 * Points the binding's package at a root by a link, and records that once the check has passed. The package finds the
 * binding through the link; the binding finds the library by its own real path. If the check fails, the previous setup stays.
 */
export async function linkBinding<Report>({ packageFolder, root, check, describe }: Linking<Report>): Promise<Report> {
  const link = join(packageFolder, "lib");
  const target = join(root, "lib");
  const record = nativeRecordPath(packageFolder);
  const before = { target: await readLink(link), record: await readText(record) };
  if (before.target !== target) {
    await rm(record, { force: true });
    await replaceLink(link, target);
  }
  try {
    const report = await check();
    await writeRecord(record, `${JSON.stringify(describe(report), null, 2)}\n`);
    return report;
  } catch (error) {
    await rm(record, { force: true });
    await rm(link);
    if (before.target !== undefined && before.target !== target) {
      await replaceLink(link, before.target);
      if (before.record !== undefined) await writeRecord(record, before.record);
    }
    throw error;
  }
}

/** Replaces a link in one step, unless the package's own build has left a folder there. */
async function replaceLink(link: string, target: string): Promise<void> {
  const partial = `${link}.${process.pid}`;
  await symlink(target, partial);
  const stats = await lstat(link).catch(() => undefined);
  if (stats?.isDirectory()) await rm(link, { recursive: true });
  await rename(partial, link);
}

function writeRecord(path: string, text: string): Promise<void> {
  return writeWhole(path, [text], { temporary: `${path}.${process.pid}` });
}

async function readLink(path: string): Promise<string | undefined> {
  return readlink(path).catch(() => undefined);
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
