import { open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { describeFileError } from "./file-error.ts";
import { isRunning } from "./lock-file.ts";
import { OutputError } from "./outputs/output.ts";

/** Short, since a photo's name may fill all that the file system allows; hidden, so that it is not found as a photo. */
const temporaryName = /^\.edge-caption-(\d+)-\d+\.tmp(?:\.\w+)?$/;

/** Writes files so that whoever reads them sees the old one or the new one, whole, whenever the run ends. */
export class FileReplacer {
  #made = 0;
  readonly #tidied = new Map<string, Promise<void>>();

  /**
   * `write` makes the new file under the temporary path that it is given, in the same folder. `extension` is for programs
   * that go by it.
   */
  async replace(
    path: string,
    write: (temporary: string) => Promise<void>,
    { extension = extname(path) }: { extension?: string } = {},
  ): Promise<void> {
    const temporary = await this.temporaryFor(path, extension);
    try {
      await write(temporary);
      await this.putInPlace(temporary, path);
    } catch (cause) {
      await rm(temporary, { force: true });
      throw (await isDiskFull(path))
        ? new OutputError(`${path}: the disk is full: make room, and start again`, { cause })
        : toOutputError(cause, path);
    }
  }

  /** Removes a file, with the same sentences where it cannot be. */
  async remove(path: string): Promise<void> {
    await rm(path).catch((cause: unknown) => {
      throw toOutputError(cause, path);
    });
  }

  /** A path for the new form of a file, for whoever writes it bit by bit; `putInPlace` ends it. */
  async temporaryFor(path: string, extension = extname(path)): Promise<string> {
    const folder = dirname(path);
    try {
      await this.#tidy(folder);
      this.#made += 1;
      const temporary = join(folder, `.edge-caption-${process.pid}-${this.#made}.tmp${extension}`);
      await (await open(temporary, "wx")).close(); // a folder that may only be read shows here
      await rm(temporary);
      return temporary;
    } catch (cause) {
      throw toOutputError(cause, path);
    }
  }

  async putInPlace(temporary: string, path: string): Promise<void> {
    const file = await open(temporary, "r+");
    await file.sync().finally(() => file.close());
    await rename(temporary, path);
  }

  /** Removes, once a folder, what runs left there that were killed. */
  #tidy(folder: string): Promise<void> {
    const tidied = this.#tidied.get(folder) ?? removeLeftovers(folder);
    this.#tidied.set(folder, tidied);
    return tidied;
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = temporaryName.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

function toOutputError(cause: unknown, path: string): unknown {
  const sentence = describeFileError(cause, { path });
  return sentence === undefined ? cause : new OutputError(sentence, { cause });
}

/** Other programs that write for us only say that they could not. */
async function isDiskFull(path: string): Promise<boolean> {
  const [{ bavail, bsize }, size] = await Promise.all([
    statfs(dirname(path)),
    stat(path).then(
      (stats) => stats.size,
      () => 0,
    ),
  ]);
  return bavail * bsize < size + bsize;
}
