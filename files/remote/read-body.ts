import { addAbortSignal, type Readable } from "node:stream";
import { joinBytes } from "../../shared/join-bytes.ts";
import type { Version } from "./address.ts";
import { UnfitObject } from "./unfit-object.ts";

/** A photo's bytes and their version, or `unchanged` if they are of the version that was known. */
export type RemoteRead = { bytes: Uint8Array<ArrayBuffer>; version: Version } | "unchanged";

export interface RemoteReading {
  maxBytes: number;
  /** The version that is known. */
  unless?: Version | undefined;
}

/** Longest time without a byte, and for a whole photo. */
const [silentMs, wholeMs] = [30_000, 300_000];

/** Watches over one photo's arrival: `signal` aborts when it takes too long. */
export class Arrival {
  readonly #ending = new AbortController();
  readonly #silence = setTimeout(() => this.#ending.abort(), silentMs);
  readonly #whole = setTimeout(() => this.#ending.abort(), wholeMs);

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Call it for each piece that arrives. */
  progress(): void {
    this.#silence.refresh();
  }

  end(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#whole);
  }
}

/** Makes the error of a photo that took too long, or that broke off. */
export function brokenArrival(cause: unknown, { signal }: Pick<Arrival, "signal">): UnfitObject {
  const reason = signal.aborted
    ? `it did not arrive in time: at most ${silentMs / 1000} s without a byte, ${wholeMs / 1000} s in all`
    : "the connection broke off";
  return new UnfitObject(reason, { cause, retryAfterMs: 0 });
}

/** Throws for a size that is too large for a photo. */
export function expectPhotoSize(bytes: number | "more", { maxBytes }: { maxBytes: number }): void {
  if (bytes !== "more" && !(bytes > maxBytes)) return;
  throw new UnfitObject(`expected a photo of at most ${maxBytes} bytes, received ${bytes}; --max-bytes allows more`);
}

/** Reads a photo's body into memory, and no further than it may be long. */
export async function readBody(
  body: Readable,
  { maxBytes, arrival }: { maxBytes: number; arrival: Arrival },
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of addAbortSignal(arrival.signal, body)) {
      arrival.progress();
      length += piece.length;
      if (length > maxBytes) expectPhotoSize("more", { maxBytes });
      pieces.push(piece);
    }
  } catch (error) {
    throw error instanceof UnfitObject ? error : brokenArrival(error, arrival);
  }
  return joinBytes(pieces);
}
