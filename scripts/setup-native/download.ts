import { createWriteStream } from "node:fs";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { expectSpace } from "./cache.ts";
import { type Progress, showProgress } from "./progress.ts";

interface Download {
  folder: string;
  signal: AbortSignal;
  /** The flag that takes a file which somebody fetched elsewhere. */
  flag?: string;
}

/** Fetches a file into a folder and returns its path. Throws a sentence where it cannot be had whole. */
export async function downloadFile(url: string, { folder, signal, flag = "--from" }: Download): Promise<string> {
  const { origin, pathname } = new URL(url); // what else it holds may be secret
  const address = `${origin}${pathname}`;
  const { body, totalBytes } = await openDownload(url, { address, signal, flag });
  await expectSpace(folder, { bytes: totalBytes });
  const name = basename(pathname);
  const path = join(folder, name);
  const progress = showProgress(`fetching ${name}`, { totalBytes });
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
    throw new Error(`${reason}: fetch it elsewhere and give it with ${flag}`, { cause });
  });
  if (!response.ok || response.body === null)
    throw new Error(`${address}: expected status 200, received ${response.status}`);
  return { body: response.body, totalBytes: Number(response.headers.get("Content-Length") ?? 0) };
}

async function* countBytes(chunks: AsyncIterable<Uint8Array>, progress: Progress): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    progress.add(chunk.length);
    yield chunk;
  }
}

/** `fetch` hides what went wrong behind "fetch failed" and "terminated". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
