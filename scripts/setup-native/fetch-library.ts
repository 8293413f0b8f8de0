import { createWriteStream } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { say } from "../../terminal/progress.ts";
import { type Cache, expectSpace, inStaging, publish } from "./cache.ts";
import { type Architecture, expectPinned, type FilePin, isPinned } from "./checksums.ts";
import type { Source } from "./choose-source.ts";
import { type ByteProgress, describeBytes, showByteProgress } from "./progress.ts";
import { complaintOf, runCommand } from "./run-command.ts";

/** Platform tags, which pip matches exactly: those of the pinned wheels, then those of newer ones. */
const platforms = ["manylinux2014", "manylinux_2_17", "manylinux_2_27", "manylinux_2_28"];
/** Python version of the pinned wheels; another one may run pip. */
const pythonVersion = "3.11";

const candidates = [["python3", "-m", "pip"], ["pip3"], ["pip"]] as const;
const tried = candidates.map((words) => words.join(" ")).join(", ");

export interface FetchContext {
  cache: Cache;
  architecture: Architecture;
  signal: AbortSignal;
}

/** Fetches the wheel, archive or folder that holds the library, checks its hash if one is pinned, and returns its path. */
export async function fetchLibrary({ place, pin }: Source, context: FetchContext): Promise<string> {
  const { signal } = context;
  if (place.from === "index") {
    const file = pin?.file ?? `a wheel of ${place.package} ${place.version} for ${context.architecture}`;
    return keepWheel({ ...place, pin }, { ...context, advice: `fetch ${file} elsewhere and pass it with --from` });
  }
  if (place.from === "url")
    return keepDownload({ ...context, pin, fetch: (folder) => downloadFile(place.url, { folder, signal }) });
  if (pin !== undefined) await expectPinned(place.path, { pin, signal });
  return place.path;
}

/** Returns the path of a wheel in the cache, after fetching it through pip if it is missing. */
export async function keepWheel(wheel: Wheel, context: FetchContext & { advice: string }): Promise<string> {
  const fetch = (folder: string) => {
    const size = wheel.pin?.size === undefined ? "" : `, ${describeBytes(wheel.pin.size.bytes)}`;
    say(`fetching ${wheel.package} ${wheel.version} through pip${size}`);
    return fetchWheel(wheel, { ...context, folder });
  };
  return keepDownload({ ...context, pin: wheel.pin, fetch });
}

interface Download extends Pick<FetchContext, "signal"> {
  cache: Pick<Cache, "downloads">;
  pin: FilePin | undefined;
  /** Fetches the file into an empty folder and returns its path. */
  fetch(folder: string): Promise<string>;
}

/** Returns the path of a file in the cache, after fetching it if it is missing. A file with another hash than the pinned one is not kept. */
export async function keepDownload({ cache: { downloads }, pin, signal, fetch }: Download): Promise<string> {
  if (pin !== undefined) {
    const kept = join(downloads, pin.file);
    if (await isPinned(kept, { pin, signal })) return kept;
    if (pin.size !== undefined) await expectSpace(downloads, { bytes: pin.size.bytes + pin.size.unpackedBytes });
  }
  return inStaging(downloads, async (folder) => {
    const fetched = await fetch(folder);
    if (pin !== undefined) await expectPinned(fetched, { pin, signal });
    const kept = join(downloads, pin?.file ?? basename(fetched));
    await publish(fetched, kept);
    return kept;
  });
}

export interface Wheel {
  package: string;
  version: string;
  pin: FilePin | undefined;
}

interface WheelRequest {
  architecture: Architecture;
  /** An empty folder. */
  folder: string;
  /** Advice for the message if pip fails. */
  advice: string;
  signal: AbortSignal;
}

/**
 * Fetches a wheel through pip, which knows the user's package index, proxy and certificates, and returns its path.
 * Throws a sentence if there is no pip, or if it cannot fetch.
 */
async function fetchWheel(wheel: Wheel, { architecture, folder, advice, signal }: WheelRequest): Promise<string> {
  const pip = await findPip(signal);
  if (pip === undefined)
    throw new Error(
      `expected pip to fetch ${wheel.package} with, found none (tried ${tried}): install it, or ${advice}`,
    );
  const [command, ...args] = pip;
  const requirement = `${wheel.package}==${wheel.version}`;
  const requirements = join(folder, "requirements.txt");
  await writeFile(requirements, [requirement, ...hashOptions(wheel)].join(" "));
  const { hasSucceeded, ending, output } = await runCommand({
    command,
    args: [
      ...args,
      ...["download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"],
      "--no-cache-dir", // the wheel is large and kept here
      ...["--python-version", pythonVersion],
      ...platforms.flatMap((platform) => ["--platform", `${platform}_${architecture}`]),
      ...["--dest", folder, "--requirement", requirements],
    ],
    environment: { ...process.env, TMPDIR: folder }, // /tmp may be small, and this folder is removed
    signal,
    showsOutput: true,
  });
  const file = (await readdir(folder)).find((name) => name.endsWith(".whl"));
  if (hasSucceeded && file !== undefined) return join(folder, file);
  throw new Error(
    `pip could not fetch ${requirement} (it ended with ${ending}: ${complaintOf(output)}): see that its package index can be reached, or ${advice}`,
  );
}

/** Returns the requirement's options: given a hash, pip refuses other files. */
function hashOptions({ pin }: Wheel): string[] {
  return pin === undefined ? [] : [`--hash=sha256:${pin.sha256}`];
}

async function findPip(signal: AbortSignal): Promise<readonly [string, ...string[]] | undefined> {
  for (const [command, ...args] of candidates) {
    const { hasSucceeded } = await runCommand({ command, args: [...args, "--version"], signal });
    if (hasSucceeded) return [command, ...args];
  }
  return undefined;
}

interface UrlDownload {
  folder: string;
  signal: AbortSignal;
  /** The flag that accepts a file fetched elsewhere. */
  flag?: string;
}

/** Fetches a file into a folder and returns its path. Throws a sentence if it does not arrive whole. */
export async function downloadFile(url: string, { folder, signal, flag = "--from" }: UrlDownload): Promise<string> {
  const { origin, pathname } = new URL(url); // the query may hold secrets
  const address = `${origin}${pathname}`;
  const { body, totalBytes } = await openDownload(url, { address, signal, flag });
  await expectSpace(folder, { bytes: totalBytes });
  const name = basename(pathname);
  const path = join(folder, name);
  const progress = showByteProgress(`fetching ${name}`, { totalBytes });
  try {
    await pipeline(body, (chunks) => countBytes(chunks, progress), createWriteStream(path), { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`${address} broke off (${reasonOf(cause)}): fetch it again`, { cause });
  } finally {
    progress.end();
  }
  return path;
}

async function openDownload(
  url: string,
  { address, signal, flag }: { address: string; signal: AbortSignal; flag: string },
) {
  const response = await fetch(url, { signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    const reason = `${address} cannot be reached (${reasonOf(cause)})`;
    throw new Error(`${reason}: fetch it elsewhere and pass it with ${flag}`, { cause });
  });
  if (!response.ok || response.body === null)
    throw new Error(`${address}: expected status 200, received ${response.status}`);
  return { body: response.body, totalBytes: Number(response.headers.get("Content-Length") ?? 0) };
}

async function* countBytes(chunks: AsyncIterable<Uint8Array>, progress: ByteProgress): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    progress.add(chunk.length);
    yield chunk;
  }
}

/** Returns the cause of an error from `fetch`, whose own message is "fetch failed" or "terminated". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
