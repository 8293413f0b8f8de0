import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { toDiskPath } from "./disk-path.ts";
import { copyTimes } from "./keep-attributes.ts";
import { isRunning } from "./lock-file.ts";
import { unfitReason } from "./read-photo-file.ts";
import { openRegularFile, readRegularFile } from "./regular-file.ts";

/** The journal of a file that is being rewritten, by which a later run can finish it after a kill. */
const journalSchema = z.strictObject({
  /** Name in the journal's folder, as is `copy`. */
  file: z.string().regex(/^[^/\\]+$/),
  copy: z.string().regex(/^\.edge-caption-\d+-\d+\.tmp(?:\.\w+)?$/),
  /** Digest of the copy. */
  sha256: z.string(),
  /** Inode and device of the file, so that a journal that came from elsewhere changes no file. */
  inode: z.string(),
  device: z.string(),
});

const journalName = /^\.edge-caption-(\d+)-\d+\.journal$/;

/**
 * Writes a copy's contents into the file itself, so that it keeps its links, owner, attributes and times, and removes the
 * copy. The copy, in the same folder, stays until the file is whole on disk: after a kill `finishRewrites` continues.
 * Returns whether the times are the same to the nanosecond.
 */
export async function rewriteFile(file: string, copy: string): Promise<boolean> {
  const target = await openRegularFile(file, { flags: constants.O_RDWR, followsLinks: false });
  try {
    const areTimesExact = await copyTimes(file, copy);
    const bytes = await readRegularFile(copy, { followsLinks: false });
    const rewrite = { target, file, copy, journal: journalOf(copy), bytes };
    await writeJournal(rewrite);
    await makeRoom(rewrite);
    return (await finish(rewrite)) && areTimesExact;
  } finally {
    await target.close();
  }
}

/** Returns the path of a copy's journal. */
export function journalOf(copy: string): string {
  return copy.replace(/\.tmp(?:\.\w+)?$/, ".journal");
}

/** Finishes what killed runs had begun in a folder. Leaves alone what it cannot finish, and what came from elsewhere. */
export async function finishRewrites(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const pid = journalName.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    await finishOne(join(folder, name)).catch((error: unknown) => {
      if (unfitReason(error) === undefined) throw error;
    });
  }
}

async function finishOne(journal: string): Promise<void> {
  const record = parseJournal(await readRegularFile(journal, { followsLinks: false }));
  if (record === undefined) return rm(toDiskPath(journal), { force: true });
  const folder = dirname(journal);
  const [file, copy] = [join(folder, record.file), join(folder, record.copy)];
  const target = await openRegularFile(file, { flags: constants.O_RDWR, followsLinks: false });
  try {
    const { ino, dev } = await target.stat({ bigint: true });
    if (String(ino) !== record.inode || String(dev) !== record.device) return;
    const bytes = await readRegularFile(copy, { followsLinks: false });
    if (digestOf(bytes) === record.sha256) await finish({ target, file, copy, journal, bytes });
  } finally {
    await target.close();
  }
}

interface Rewrite {
  target: FileHandle;
  file: string;
  copy: string;
  journal: string;
  bytes: Uint8Array;
}

async function writeJournal({ target, file, copy, journal, bytes }: Rewrite): Promise<void> {
  const { ino, dev } = await target.stat({ bigint: true });
  const names = { file: basename(file), copy: basename(copy) };
  const record = { ...names, sha256: digestOf(bytes), inode: String(ino), device: String(dev) };
  const handle = await open(toDiskPath(journal), "wx", 0o600);
  try {
    await handle.writeFile(JSON.stringify(record satisfies z.infer<typeof journalSchema>));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the file as long as it will be, so that a full disk shows before anything in it is overwritten. */
async function makeRoom({ target, copy, file, journal, bytes }: Rewrite): Promise<void> {
  const { size } = await target.stat();
  try {
    await writeAll(target, new Uint8Array(Math.max(0, bytes.length - size)), size);
  } catch (error) {
    await target.truncate(size);
    await copyTimes(copy, file);
    await rm(toDiskPath(journal), { force: true });
    throw error;
  }
}

async function finish({ target, file, copy, journal, bytes }: Rewrite): Promise<boolean> {
  await writeAll(target, bytes, 0);
  await target.truncate(bytes.length);
  await target.sync();
  const areTimesExact = await copyTimes(copy, file);
  await rm(toDiskPath(journal), { force: true });
  await rm(toDiskPath(copy), { force: true });
  return areTimesExact;
}

async function writeAll(target: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await target.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
  }
}

/** Parses a journal; undefined for one that a kill left half written, before the file itself was touched. */
function parseJournal(bytes: Uint8Array): z.infer<typeof journalSchema> | undefined {
  try {
    return journalSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return undefined;
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
