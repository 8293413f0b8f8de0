import { joinBytes } from "../shared/join-bytes.ts";
import type { ArrivalWatch } from "./arrival-watch.ts";
import type { BufferHold } from "./buffer-hold.ts";

interface ReadLimits {
  maxBytes: number;
  /** What to throw at the first byte over `maxBytes`. */
  tooLarge: () => Error;
  /** Where what arrives is counted, as are the buffers that wait for it. */
  hold?: BufferHold;
  /** Gives up where it takes too long. */
  watch?: ArrivalWatch;
}

/** Of one read: a slow sender ties up little, and a fast one is read in few steps (in 4 kB, 20 MiB take five times as long). */
const minBufferBytes = 4 * 1024;
const maxBufferBytes = 64 * 1024;

/**
 * Reads a stream into one buffer, never holding more than `maxBytes` and one read. No stream is no bytes. Where it throws,
 * the rest of the stream is left to whoever reads on.
 */
export async function readBytes(
  stream: ReadableStream<Uint8Array> | null,
  { maxBytes, tooLarge, hold, watch }: ReadLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  if (stream === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  hold?.onGivingWay(() => pieces.splice(0));
  let bytesRead = 0;
  let bufferBytes = minBufferBytes;
  const reader = stream.getReader({ mode: "byob" });
  watch?.watchRate(hold);
  const minReadBytes = watch?.minReadBytes ?? minBufferBytes;
  const { signal } = watch ?? {};
  signal?.addEventListener("abort", () => void reader.cancel(signal.reason).catch(() => {}), { once: true }); // ends a read under way
  try {
    for (;;) {
      hold?.growTo(bytesRead + bufferBytes);
      const { value, done } = await reader.readAtLeast(minReadBytes, new Uint8Array(bufferBytes));
      signal?.throwIfAborted();
      if (value !== undefined && value.length > 0) {
        bytesRead += value.length;
        watch?.note(bytesRead);
        if (bytesRead > maxBytes) throw tooLarge();
        pieces.push(value.length < bufferBytes ? value.slice() : value); // a view would keep the whole buffer
        bufferBytes = Math.min(Math.max(minBufferBytes, 2 * value.length), maxBufferBytes);
      }
      if (done) break;
    }
    hold?.settle();
    return joinBytes(pieces);
  } finally {
    watch?.end();
    reader.releaseLock();
  }
}

/** `Content-Length`, or 0 where there is none to go by. */
export function declaredLength(headers: Headers): number {
  const value = headers.get("Content-Length") ?? "";
  return /^\d+$/.test(value) ? Number(value) : 0;
}
