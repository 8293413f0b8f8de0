import type { BigIntStats } from "node:fs";
import { chmod, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fromDiskPath, toDiskPath } from "./disk-path.ts";
import { describeFileError, isLastingFileError, OutputError, UnfitForCaption } from "./file-error.ts";
import { copyAttributes, copyTimes, identityOf, statExactly } from "./keep-attributes.ts";
import { isRunning } from "./lock-file.ts";
import { readPhotoFile } from "./read-photo-file.ts";
import { finishRewrites, journalOf, rewriteFile } from "./rewrite-file.ts";
import { putInPlace, syncFile } from "./write-whole.ts";

/** Temporary names are short, since a photo's may be as long as the disk allows, and hidden, so that they are not found as photos. */
const temporaryName = /^\.edge-caption-(\d+)-\d+\.tmp(?:\.\w+)?$/;

/** Something that a file could not keep when it was replaced. */
export type Loss =
  | "hard links"
  | "owner"
  | "extended attributes and access control lists"
  | "times below a microsecond";

type Write = (temporary: string) => Promise<void>;

/** Replaces files of people, so that a reader sees the old one or the new one, whole, whenever the run ends. */
export class FileReplacer {
  /** Numbers of files that could not keep something in `replaceKeeping`. */
  readonly losses = new Map<Loss, number>();
  /** Locks each file, under all of its names. */
  readonly #mutex = new KeyedMutex();
  #made = 0;
  readonly #tidied = new Map<string, Promise<void>>();

  /** Replaces a file. `write` makes the new one under the temporary path that it is given, in the same folder. */
  async replace(path: string, write: Write): Promise<void> {
    await this.#replace({ path, write, extension: extname(path) }, (temporary) => putInPlace(temporary, path));
  }

  /**
   * Replaces the contents of a file that is there and keeps its owner, rights, attributes, times and hard links. If a copy
   * cannot have them all, the file itself is rewritten, with a journal. `extension` is for programs that go by it.
   */
  async replaceKeeping(path: string, write: Write, { extension }: { extension: string }): Promise<void> {
    await this.#replace({ path, write, extension }, async (temporary) => {
      const before = await statExactly(path);
      await syncFile(temporary);
      await chmod(toDiskPath(temporary), 0o600); // other programs may have made it with any rights
      const isWhole = await copyAttributes(path, temporary);
      if (isWhole && before.nlink === 1n) await rename(toDiskPath(temporary), toDiskPath(path));
      else this.#count(await this.#rewriteOrReplace({ path, temporary, before, isWhole }));
    });
  }

  /** Reads a photo while it is not being rewritten. */
  async readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#mutex.run(await identityOf(path), () => readPhotoFile(path));
  }

  /** Removes a file. Throws the same sentences as `replace` if it cannot. */
  async remove(path: string): Promise<void> {
    await rm(toDiskPath(path)).catch((cause: unknown) => {
      throw toOutputError(cause, path);
    });
  }

  /** Returns a path to write a new version of a file to, bit by bit; `putInPlace` gives it the file's name. */
  async temporaryFor(path: string, extension = extname(path)): Promise<string> {
    const folder = dirname(path);
    try {
      await this.tidy(folder);
      this.#made += 1;
      const temporary = join(folder, `.edge-caption-${process.pid}-${this.#made}.tmp${extension}`);
      await (await open(toDiskPath(temporary), "wx")).close(); // a read-only folder shows here
      await rm(toDiskPath(temporary));
      return temporary;
    } catch (cause) {
      throw toOutputError(cause, path);
    }
  }

  /** Finishes or removes, once per folder, what killed runs left there. Call it before photos are read. */
  tidy(folder: string): Promise<void> {
    const tidied = this.#tidied.get(folder) ?? tidyFolder(folder);
    this.#tidied.set(folder, tidied);
    return tidied;
  }

  async #replace(
    { path, write, extension }: { path: string; write: Write; extension: string },
    place: (temporary: string) => Promise<void>,
  ): Promise<void> {
    const temporary = await this.temporaryFor(path, extension);
    try {
      await write(temporary);
      await place(temporary);
    } catch (cause) {
      const isHalfWritten = await isThere(journalOf(temporary));
      if (isHalfWritten) throw new OutputError(`${path}: it is half written; start again to finish it`, { cause });
      await rm(toDiskPath(temporary), { force: true });
      throw (await isDiskFull(path))
        ? new OutputError(`${path}: the disk is full: make room, and start again`, { cause })
        : toOutputError(cause, path);
    }
  }

  async #rewriteOrReplace({ path, temporary, before, isWhole }: Replacement): Promise<Loss[]> {
    try {
      const rewrite = () => rewriteFile(path, temporary);
      const areTimesExact = await this.#mutex.run(await identityOf(path), rewrite);
      return areTimesExact ? [] : ["times below a microsecond"];
    } catch (error) {
      if (!isRefusal(error) || (await isThere(journalOf(temporary)))) throw error;
      // the folder is writable, the file is not
      await chmod(toDiskPath(temporary), Number(before.mode));
      const areTimesExact = await copyTimes(path, temporary);
      await rename(toDiskPath(temporary), toDiskPath(path));
      const after = await statExactly(path);
      const lost: [Loss, boolean][] = [
        ["hard links", before.nlink > 1n],
        ["owner", after.uid !== before.uid || after.gid !== before.gid],
        ["extended attributes and access control lists", !isWhole],
        ["times below a microsecond", !areTimesExact],
      ];
      return lost.flatMap(([loss, isLost]) => (isLost ? [loss] : []));
    }
  }

  #count(losses: readonly Loss[]): void {
    for (const loss of losses) this.losses.set(loss, (this.losses.get(loss) ?? 0) + 1);
  }
}

interface Replacement {
  path: string;
  temporary: string;
  before: BigIntStats;
  /** Whether the temporary file has all attributes of the file. */
  isWhole: boolean;
}

async function tidyFolder(folder: string): Promise<void> {
  const entries = await readdir(toDiskPath(folder), { encoding: "buffer" }).catch(() => []); // writing there reports the error
  const names = entries.map(fromDiskPath);
  await finishRewrites(folder, names);
  for (const name of names) {
    const pid = temporaryName.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid)) || (await isThere(journalOf(join(folder, name))))) continue;
    await rm(toDiskPath(join(folder, name)), { force: true }).catch(() => undefined); // a folder with that name is not ours
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(toDiskPath(path)).then(
    () => true,
    () => false,
  );
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM");
}

/** Turns errors that concern one file into its failure, and those that the next would meet as well into the end of the run. */
function toOutputError(cause: unknown, path: string): unknown {
  const sentence = describeFileError(cause, { path });
  if (sentence === undefined) return cause;
  return isLastingFileError(cause) ? new OutputError(sentence, { cause }) : new UnfitForCaption(sentence, { cause });
}

/** Whether the disk is full. Other programs that write for us only say that they could not. */
async function isDiskFull(path: string): Promise<boolean> {
  try {
    const [{ bavail, bsize }, size] = await Promise.all([
      statfs(toDiskPath(dirname(path))),
      stat(toDiskPath(path)).then(
        (stats) => stats.size,
        () => 0,
      ),
    ]);
    return bavail * bsize < size + bsize;
  } catch {
    return false;
  }
}

/** Runs work for each key one after the other, and for different keys at once. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const previous = this.#last.get(key) ?? Promise.resolve();
    const turn = previous.then(work, work);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}
