import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { promisify } from "node:util";
import type { ExifTool } from "exiftool-vendored";
import { UnfitForCaption } from "./outputs/output.ts";

const run = promisify(execFile);
const maxProcesses = 2;

/**
 * Throws a sentence where ExifTool cannot run, which is asked before anything is captioned: `exiftool-vendored` waits for
 * ever for a process that ended before it answered.
 */
export async function expectExifTool(): Promise<void> {
  const { exiftoolPath } = await import("exiftool-vendored");
  try {
    await run(await exiftoolPath(), ["-ver"]);
  } catch (cause) {
    const { code, stderr = "" } = cause as { code?: unknown; stderr?: string };
    const isMissing = code === "ENOENT" || code === 127; // by itself, or by what /usr/bin/env says
    const found = isMissing ? "" : `, found that it fails: ${stderr.trim() || String(cause)}`;
    throw new Error(`expected perl, which ExifTool runs on${found}: install it, or leave --xmp and --embed out`, {
      cause,
    });
  }
}

/** Values by tags with their group, like `XMP-dc:Description`; null takes one away. */
export type RawTags = Record<string, string | number | null>;

/** Reads and writes the metadata of files, through ExifTool, which is started when it is first needed. */
export class Metadata {
  #started: Promise<ExifTool> | undefined;

  /** The tags of a file that match; those it lacks are missing. */
  async read(file: string, tags: readonly string[]): Promise<RawTags> {
    const exiftool = await this.#tool();
    const readArgs = ["-G1", ...tags.map((tag) => `-${tag}`)];
    return withPlainNames({ file }, ({ file: plain }) =>
      describing(async (): Promise<RawTags> => ({ ...(await exiftool.readRaw(plain, { readArgs })) })),
    );
  }

  /**
   * Writes a copy of `file` with other tags, null for none, to `copy`, which lies in the same folder. `extension` is what
   * ExifTool takes the file for.
   */
  async writeCopy(
    { file, copy, extension }: { file: string; copy: string; extension: string },
    tags: RawTags,
  ): Promise<void> {
    const exiftool = await this.#tool();
    await withPlainNames({ file, extension }, ({ file: plain, folder }) =>
      describing(() => exiftool.write(plain, tags, { writeArgs: ["-o", join(folder, basename(copy))] })),
    );
  }

  /** Makes a file that holds nothing but these tags. */
  async create(file: string, tags: RawTags): Promise<void> {
    const exiftool = await this.#tool();
    await withPlainNames({ file }, ({ folder }) =>
      describing(() => exiftool.write(join(folder, basename(file)), tags)),
    );
  }

  async close(): Promise<void> {
    await (await this.#started)?.end();
  }

  #tool(): Promise<ExifTool> {
    this.#started ??= startExifTool();
    return this.#started;
  }
}

async function startExifTool(): Promise<ExifTool> {
  const { ExifTool, DefaultExiftoolArgs, exiftoolPath } = await import("exiftool-vendored");
  const path = await exiftoolPath();
  return new ExifTool({
    maxProcs: maxProcesses,
    // detached: Ctrl-C in a terminal reaches the whole group, and what is being written must still be finished
    processFactory: () => spawn(path, DefaultExiftoolArgs, { stdio: "pipe", detached: true }),
  });
}

/** What ExifTool does not like of a file concerns that file alone. */
async function describing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnfitForCaption(`ExifTool: ${reason}`, { cause });
  }
}

interface PlainNames {
  file: string;
  /** Where the file lies. */
  folder: string;
}

/**
 * ExifTool takes its arguments line by line, and a file for what its extension says. A path with an end of line, or of
 * another extension than it should have, is reached through links.
 */
async function withPlainNames<Result>(
  { file, extension = extname(file) }: { file: string; extension?: string },
  use: (names: PlainNames) => Promise<Result>,
): Promise<Result> {
  if (!/[\r\n]/.test(file) && extname(file).toLowerCase() === extension.toLowerCase()) {
    return use({ file, folder: dirname(file) });
  }
  const links = await mkdtemp(join(tmpdir(), "edge-caption-"));
  try {
    const names = { file: join(links, `photo${extension}`), folder: join(links, "folder") };
    await symlink(file, names.file);
    await symlink(dirname(file), names.folder);
    return await use(names);
  } finally {
    await rm(links, { recursive: true, force: true });
  }
}
