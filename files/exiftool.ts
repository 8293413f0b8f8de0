import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { promisify } from "node:util";
import type { ExifTool } from "exiftool-vendored";
import { toDiskPath } from "./disk-path.ts";
import { UnfitForCaption } from "./file-error.ts";

const run = promisify(execFile);
const maxProcesses = 2;

/**
 * Throws a sentence if ExifTool cannot run. Call it before anything is captioned: `exiftool-vendored` waits for ever for a
 * process that ended before it answered.
 */
export async function expectExifTool(flags = "--xmp and --embed"): Promise<void> {
  const { exiftoolPath } = await import("exiftool-vendored");
  try {
    await run(await exiftoolPath(), ["-ver"]);
  } catch (cause) {
    const { code, stderr = "" } = cause as { code?: unknown; stderr?: string };
    const isMissing = code === "ENOENT" || code === 127; // 127 is what /usr/bin/env exits with
    const found = isMissing ? "" : `, found that it fails: ${stderr.trim() || String(cause)}`;
    throw new Error(`expected perl, which ExifTool runs on${found}: install it, or leave ${flags} out`, {
      cause,
    });
  }
}

/** Values by tags with their group, like `XMP-dc:Description`; lists are written whole, and null removes a tag. */
export type RawTags = Record<string, string | number | null | string[]>;

/** Tags that hold a raw photo's pictures of a useful size; a thumbnail's 160 pixels are too few. */
export const previewTags = ["JpgFromRaw", "PreviewImage", "OtherImage"] as const;

export type PreviewTag = (typeof previewTags)[number];

/** Reads and writes the metadata of files through ExifTool, which is started when it is first needed. */
export class Metadata {
  #started: Promise<{ exiftool: ExifTool; links: string }> | undefined;
  #linked = 0;

  /** Reads the tags of a file that match. Those that it lacks are missing from the result. */
  read(file: string, tags: readonly string[]): Promise<RawTags> {
    const readArgs = ["-G1", ...tags.map((tag) => `-${tag}`)];
    return this.#withPlainNames({ file }, async (exiftool, { file: plain }) => ({
      ...(await exiftool.readRaw(plain, { readArgs })),
    }));
  }

  /**
   * Writes a copy of `file` with other tags to `copy`, in the same folder, whose name consists of letters, digits, `.` and
   * `-`. `extension` decides the format that ExifTool takes the file for.
   */
  async writeCopy(
    { file, copy, extension }: { file: string; copy: string; extension: string },
    tags: RawTags,
  ): Promise<void> {
    await this.#withPlainNames({ file, extension }, (exiftool, { file: plain, folder }) =>
      exiftool.write(plain, tags, { writeArgs: ["-o", join(folder, basename(copy))] }),
    );
  }

  /** Reads the bytes of a tag that holds a picture. */
  extract(file: string, tag: PreviewTag): Promise<Uint8Array<ArrayBuffer>> {
    return this.#withPlainNames({ file }, async (exiftool, { file: plain }) => {
      return new Uint8Array(await exiftool.extractBinaryTagToBuffer(tag, plain));
    });
  }

  /** Makes a file, named like `copy` above, that holds only these tags. */
  async create(file: string, tags: RawTags): Promise<void> {
    await this.#withPlainNames({ file }, (exiftool, { folder }) => exiftool.write(join(folder, basename(file)), tags));
  }

  async close(): Promise<void> {
    const started = await this.#started;
    await started?.exiftool.end();
    if (started !== undefined) await rm(started.links, { recursive: true, force: true });
  }

  /**
   * ExifTool reads its arguments line by line, interprets `%` in paths that it writes to, and trusts a file's extension.
   * All but the plainest paths are therefore reached through links.
   */
  async #withPlainNames<Result>(
    { file, extension = extname(file) }: { file: string; extension?: string },
    use: (exiftool: ExifTool, names: { file: string; folder: string }) => Promise<Result>,
  ): Promise<Result> {
    this.#started ??= startExifTool();
    const { exiftool, links } = await this.#started;
    if (plainPath.test(file) && extname(file).toLowerCase() === extension.toLowerCase()) {
      return describing(() => use(exiftool, { file, folder: dirname(file) }));
    }
    this.#linked += 1;
    const link = join(links, `${this.#linked}${plainPath.test(extension) ? extension : ""}`);
    const folder = join(links, `${this.#linked}-folder`);
    try {
      await symlink(toDiskPath(file), link);
      await symlink(toDiskPath(dirname(file)), folder);
      return await describing(() => use(exiftool, { file: link, folder }));
    } finally {
      await Promise.all([link, folder].map((path) => rm(path, { force: true })));
    }
  }
}

/** A path that no program can read as anything else. */
const plainPath = /^[\w./\\:-]+$/;

/** A relay in Perl: ExifTool would wait for ever at the end of its input after this program was killed, so the relay ends it. */
const untilInputEnds = `
  my $pid = open(my $tool, "|-", @ARGV) or exit 127;
  $SIG{TERM} = sub { kill TERM => $pid; exit };
  while (sysread(STDIN, my $lines, 65536)) { syswrite($tool, $lines) }
  syswrite($tool, "\\n-stay_open\\nFalse\\n");
  close($tool);`;

/**
 * The fields that this program marks its own texts with, in a namespace of its own, as ExifTool's configuration. They say which
 * keywords and which alternative text it wrote, since the fields that everybody reads have no room for that.
 */
const ownFields = `
%Image::ExifTool::UserDefined = (
  'Image::ExifTool::XMP::Main' => {
    edgecaption => { SubDirectory => { TagTable => 'Image::ExifTool::UserDefined::edgecaption' } },
  },
);
%Image::ExifTool::UserDefined::edgecaption = (
  GROUPS => { 0 => 'XMP', 1 => 'XMP-edgecaption', 2 => 'Other' },
  NAMESPACE => { 'edgecaption' => 'urn:edge-caption:fields:1' },
  WRITABLE => 'string',
  Keywords => { List => 'Bag' },
  AltText => { },
);
1;
`;

async function startExifTool(): Promise<{ exiftool: ExifTool; links: string }> {
  const { ExifTool, DefaultExiftoolArgs, exiftoolPath } = await import("exiftool-vendored");
  const path = await exiftoolPath();
  const links = await mkdtemp(join(plainTemporaryFolder(), "edge-caption-"));
  const config = join(links, "fields.pl");
  await writeFile(config, ownFields);
  const exiftool = new ExifTool({
    maxProcs: maxProcesses,
    // detached: Ctrl-C in a terminal reaches the whole group, and what is being written must still be finished.
    // In a folder of ours, with a configuration of ours: ExifTool would run the settings that it finds.
    processFactory: () => {
      const [program, ...args] =
        process.platform === "win32"
          ? [path, "-config", config, ...DefaultExiftoolArgs]
          : ["perl", "-e", untilInputEnds, path, "-config", config, ...DefaultExiftoolArgs];
      return spawn(program, args, { stdio: "pipe", detached: true, cwd: links });
    },
  });
  return { exiftool, links };
}

function plainTemporaryFolder(): string {
  const folder = [tmpdir(), "/tmp", "/var/tmp"].find((place) => plainPath.test(place));
  if (folder !== undefined) return folder;
  throw new Error(
    `${tmpdir()}: expected a temporary folder with a path of ASCII letters, digits and . - _: set TMPDIR`,
  );
}

/** Turns an error of ExifTool into one that concerns only the file at hand. */
async function describing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnfitForCaption(`ExifTool: ${reason}`, { cause });
  }
}
