import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { describeFileError, OutputError } from "./file-error.ts";
import { openRegularFile, UnfitFile } from "./regular-file.ts";

/**
 * A text file that grows. It always ends with a whole record: what a kill or a full disk cut off is removed again.
 */
export class AppendFile {
  readonly path: string;
  readonly #file: FileHandle;
  #size: number;
  #previous: Promise<void> = Promise.resolve();

  private constructor(path: string, { file, size }: { file: FileHandle; size: number }) {
    this.path = path;
    this.#file = file;
    this.#size = size;
  }

  /** Opens the file, or creates it, and cuts it to its first `size` bytes. */
  static async open(
    path: string,
    { size, followsLinks = true }: { size: number; followsLinks?: boolean },
  ): Promise<AppendFile> {
    return describing(path, async () => {
      const file = await openRegularFile(path, { flags: constants.O_RDWR | constants.O_CREAT, followsLinks });
      await file.truncate(size);
      return new AppendFile(path, { file, size });
    });
  }

  get size(): number {
    return this.#size;
  }

  /** Resolves when the text is written whole, after everything appended earlier. Returns the offset of its start, in bytes. */
  append(text: string): Promise<number> {
    const appended = this.#previous.then(() => describing(this.path, () => this.#write(Buffer.from(text))));
    this.#previous = appended.then(
      () => undefined,
      () => undefined,
    );
    return appended;
  }

  async read(place: { offset: number; length: number }): Promise<string> {
    const { buffer } = await this.#file.read(Buffer.alloc(place.length), 0, place.length, place.offset);
    return buffer.toString();
  }

  async close(): Promise<void> {
    await this.#previous;
    await describing(this.path, () => this.#file.sync()).finally(() => this.#file.close());
  }

  async #write(bytes: Buffer): Promise<number> {
    const offset = this.#size;
    try {
      for (let done = 0; done < bytes.length; ) {
        done += (await this.#file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
      }
    } catch (error) {
      await this.#file.truncate(offset).catch(() => undefined); // the first error is the one to report
      throw error;
    }
    this.#size += bytes.length;
    return offset;
  }
}

async function describing<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const sentence = cause instanceof UnfitFile ? `${path}: ${cause.message}` : describeFileError(cause, { path });
    throw sentence === undefined ? cause : new OutputError(sentence, { cause });
  }
}
