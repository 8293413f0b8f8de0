import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { expectSpace } from "./cache.ts";
import { type ByteProgress, showByteProgress } from "./progress.ts";

interface Unpacking {
  into: string;
  /** Returns a member's path in `into`; undefined: it is not unpacked. */
  place(member: string): string | undefined;
  signal: AbortSignal;
}

interface Member {
  entry: Entry;
  path: string;
}

/** Unpacks some members of a zip archive, such as a wheel. Throws a sentence that names the damaged member. */
export async function unpackZip(archive: string, { into, place, signal }: Unpacking): Promise<void> {
  const zip = await naming(archive, () => openPromise(archive, { autoClose: false, lazyEntries: true }));
  try {
    const members = await naming(archive, () => pickMembers(zip, { into, place }));
    const totalBytes = members.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
    await expectSpace(dirname(into), { bytes: totalBytes });
    const progress = showByteProgress(`unpacking ${shortName(archive)}`, { totalBytes });
    try {
      for (const member of members) await unpackMember(zip, { ...member, archive, progress, signal });
    } finally {
      progress.end();
    }
  } finally {
    zip.close();
  }
}

/** Returns a wheel's name and version, without its tags. */
function shortName(archive: string): string {
  return basename(archive, ".whl").split("-", 2).join("-");
}

async function pickMembers(zip: ZipFile, { into, place }: Omit<Unpacking, "signal">): Promise<Member[]> {
  const members: Member[] = [];
  for await (const entry of zip.eachEntry()) {
    const path = entry.fileName.endsWith("/") ? undefined : place(entry.fileName);
    if (path !== undefined) members.push({ entry, path: join(into, path) });
  }
  return members;
}

interface MemberUnpacking extends Member {
  archive: string;
  progress: ByteProgress;
  signal: AbortSignal;
}

async function unpackMember(zip: ZipFile, { entry, path, archive, progress, signal }: MemberUnpacking): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await naming(`${archive}: ${entry.fileName}`, async () => {
    const contents = await zip.openReadStreamPromise(entry);
    await pipeline(contents, (chunks) => expectChecksum(chunks, { entry, progress }), createWriteStream(path), {
      signal,
    });
  });
}

/** Passes chunks on and checks their CRC: yauzl checks sizes only, and a damaged library would crash the engine. */
async function* expectChecksum(
  chunks: AsyncIterable<Uint8Array>,
  { entry, progress }: { entry: Entry; progress: ByteProgress },
): AsyncGenerator<Uint8Array> {
  let checksum = 0;
  for await (const chunk of chunks) {
    checksum = crc32(chunk, checksum);
    progress.add(chunk.length);
    yield chunk;
  }
  if (checksum !== entry.crc32) throw new Error(`expected checksum ${entry.crc32}, found ${checksum}: it is damaged`);
}

async function naming<Result>(name: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name === "AbortError") throw cause;
    throw new Error(`${name}: ${cause.message}`, { cause });
  }
}
