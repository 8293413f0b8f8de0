import { joinBytes } from "../shared/join-bytes.ts";

interface ReadLimits {
  maxBytes: number;
  /** What to throw at the first byte over `maxBytes`. */
  tooLarge: () => Error;
  /** Told the bytes read so far after each chunk; what it throws ends the reading. */
  onProgress?: (bytesRead: number) => void;
  /** Gives up; its reason is thrown. */
  signal?: AbortSignal;
}

/** Filled before it is handed over: the default reader's 4 kB make 20 MiB five times slower to read. */
const chunkBytes = 64 * 1024;

/** Reads a stream into one buffer, never holding more than `maxBytes` and one chunk. No stream is no bytes. */
export async function readBytes(
  stream: ReadableStream<Uint8Array> | null,
  { maxBytes, tooLarge, onProgress, signal }: ReadLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytesRead = 0;
  const reader = stream.getReader({ mode: "byob" });
  signal?.addEventListener("abort", () => void reader.cancel(signal.reason).catch(() => {}), { once: true }); // ends a read under way
  for (;;) {
    const { value, done } = await reader.readAtLeast(chunkBytes, new Uint8Array(chunkBytes));
    signal?.throwIfAborted();
    if (value !== undefined && value.length > 0) {
      bytesRead += value.length;
      if (bytesRead > maxBytes) throw tooLarge();
      onProgress?.(bytesRead);
      chunks.push(value);
    }
    if (done) return joinBytes(chunks);
  }
}

/** `Content-Length`, or 0 where there is none to go by. */
export function declaredLength(headers: Headers): number {
  const value = headers.get("Content-Length") ?? "";
  return /^\d+$/.test(value) ? Number(value) : 0;
}
