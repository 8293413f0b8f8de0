import { constants, createWriteStream, fstatSync, openSync, realpathSync, statSync } from "node:fs";
import { Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { isatty } from "node:tty";
import { toDiskPath } from "../../files/disk-path.ts";
import { describeFileError, fileErrorReason, OutputError } from "../../files/file-error.ts";
import { describeKind } from "../../files/regular-file.ts";
import { terminalLines } from "../../shared/terminal-text.ts";
import { say } from "../../terminal/progress.ts";

/** Time between two checks whether somebody reads a named pipe. */
const lookEveryMs = 100;
const hintAfterMs = 2000;

/** Windows has neither. */
const { O_NONBLOCK = 0, O_NOCTTY = 0, O_WRONLY } = constants;

/** Names of the descriptors that this program was started with. */
const ownDescriptor = /^\/(?:dev|proc\/self)\/(?:fd\/(\d+)|stdout|stderr)$/;

/** An output that is written as captions come. It is never read back, replaced or continued. */
export interface OutputStream {
  /** Whether it ends in a regular file, as after a `>` of the shell. */
  readonly isFile: boolean;
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens an output that is not a regular file: a standard stream, a named pipe, which waits for its reader, or a device such
 * as `/dev/null`. Returns undefined for regular files and those yet to be made. Throws a sentence for what cannot be written to.
 */
export async function openOutputStream(
  path: string,
  { signal }: { signal: AbortSignal },
): Promise<OutputStream | undefined> {
  const descriptor = descriptorOf(path);
  if (descriptor === 1) return standardOutput();
  if (descriptor === 2) return new DescriptorStream(path, process.stderr, { fd: descriptor, isOwn: false });
  return describing(path, async () => {
    const fd = descriptor ?? (await openForWriting(path, signal));
    return fd === undefined ? undefined : new DescriptorStream(path, streamOf(fd), { fd, isOwn: true });
  });
}

/** Opens standard output, for which `-` stands. */
export function standardOutput(): OutputStream {
  return new DescriptorStream("standard output", process.stdout, { fd: process.stdout.fd, isOwn: false });
}

/** Whether an output is a file on a disk, so that the state can be kept beside it. */
export function isOnDisk(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return descriptorOf(path) === undefined && (found === undefined || found.isFile());
}

/**
 * Where an output goes, as a text that is equal for two outputs in one file or on one stream, whatever they are called; `-` is
 * standard output. Undefined for a device that keeps nothing, and for what cannot be looked at.
 */
export function outputPlace(path: string): string | undefined {
  const descriptor = path === "-" ? process.stdout.fd : descriptorOf(path);
  try {
    const found =
      descriptor === undefined
        ? statSync(toDiskPath(path), { bigint: true, throwIfNoEntry: false })
        : fstatSync(descriptor, { bigint: true });
    if (found === undefined) return join(realpathSync(dirname(path)), basename(path));
    const keepsNothing = found.isCharacterDevice() && (descriptor === undefined || !isatty(descriptor));
    return keepsNothing ? undefined : `${found.dev}:${found.ino}`;
  } catch {
    return undefined; // opening it reports why
  }
}

class DescriptorStream implements OutputStream {
  readonly isFile: boolean;
  readonly #isTerminal: boolean;
  readonly #path: string;
  readonly #stream: Writable;
  readonly #isOwn: boolean;

  constructor(path: string, stream: Writable, { fd, isOwn }: { fd: number; isOwn: boolean }) {
    this.isFile = fstatSync(fd).isFile();
    this.#isTerminal = isatty(fd);
    this.#path = path;
    this.#stream = stream;
    this.#isOwn = isOwn;
    if (isOwn) stream.on("error", () => undefined); // the write that fails reports it
  }

  append(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(this.#isTerminal ? terminalLines(text) : text, (error) => {
        if (error === null || error === undefined) resolve();
        else if (this.#stream !== process.stdout) reject(this.#describe(error)); // whose errors end the program
      });
    });
  }

  /** Closes the stream, unless the program was started with it. */
  async close(): Promise<void> {
    if (!this.#isOwn) return;
    await new Promise<void>((resolve, reject) => {
      this.#stream.end(() => resolve());
      this.#stream.on("error", (error) => reject(this.#describe(error)));
    });
  }

  #describe(error: Error): Error {
    const isUnread = "code" in error && error.code === "EPIPE";
    const reason = isUnread ? "nobody reads from this pipe any more" : (fileErrorReason(error) ?? error.message);
    return new OutputError(`${this.#path}: ${reason}`, { cause: error });
  }
}

function descriptorOf(path: string): number | undefined {
  const [, number] = ownDescriptor.exec(path) ?? [];
  if (number !== undefined) return Number(number);
  return path === "/dev/stdout" ? 1 : path === "/dev/stderr" ? 2 : undefined;
}

function streamOf(fd: number): Writable {
  const found = fstatSync(fd);
  return found.isFIFO() || found.isSocket() ? new Socket({ fd, readable: false }) : createWriteStream("", { fd });
}

/** Opens a descriptor; undefined for a regular file. Does not block, so that a signal ends the wait for a reader. */
async function openForWriting(path: string, signal: AbortSignal): Promise<number | undefined> {
  const found = statSync(toDiskPath(path), { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return undefined;
  if (!found.isFIFO() && !found.isCharacterDevice()) {
    throw new OutputError(`${path}: it is ${describeKind(found)}, expected a file, or a pipe to write to`);
  }
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    try {
      return openSync(toDiskPath(path), O_WRONLY | O_NONBLOCK | O_NOCTTY);
    } catch (error) {
      const isWithoutReader = error instanceof Error && "code" in error && error.code === "ENXIO";
      if (!isWithoutReader) throw error;
    }
    if (waitedMs === hintAfterMs) say(`${path}: waiting for somebody to read from this pipe`);
    await setTimeout(lookEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function describing<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const sentence = describeFileError(cause, { path });
    throw sentence === undefined ? cause : new OutputError(sentence, { cause });
  }
}
