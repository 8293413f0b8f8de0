import { availableParallelism } from "node:os";
import { Semaphore } from "async-mutex";
import sharp from "sharp";
import { readImageHeader } from "../shared/image-header.ts";
import type { Preprocessing } from "../shared/manifest.ts";
import { type DecodedImage, decodeImage } from "./decode-image.ts";

/** libuv's own number of threads, which sharp's work runs on, where nobody has set another. */
const usualThreads = 4;

interface DecodePoolSettings {
  preprocessing: Preprocessing;
  /** Of one photo. */
  maxPixels: number;
  /** Of all that are being decoded, in millions; a larger one is decoded alone. */
  maxMegapixels: number;
}

/** Decodes photos in the order they come, as many at once as there are cores, and so many pixels. */
export class DecodePool {
  readonly #settings: DecodePoolSettings;
  readonly #room: Semaphore;
  readonly #leastShare: number;
  #inHand = 0;

  constructor(settings: DecodePoolSettings) {
    sharp.concurrency(1); // a photo a core, and not all cores on one
    const atOnce = Math.min(availableParallelism(), Number(process.env.UV_THREADPOOL_SIZE ?? usualThreads));
    this.#settings = settings;
    this.#room = new Semaphore(settings.maxMegapixels);
    this.#leastShare = Math.ceil(settings.maxMegapixels / atOnce);
  }

  /** Photos that are being decoded or wait for it. */
  get inHand(): number {
    return this.#inHand;
  }

  /**
   * As `decodeImage`, with the milliseconds that decoding took; the wait for its turn is none of them. Throws the
   * signal's reason where it has aborted before that turn.
   */
  async decode(bytes: Uint8Array, signal?: AbortSignal): Promise<DecodedImage & { decodeMs: number }> {
    this.#inHand += 1;
    try {
      return await this.#room.runExclusive(async () => {
        signal?.throwIfAborted();
        const begunMs = performance.now();
        const decoded = await decodeImage(bytes, this.#settings);
        return { ...decoded, decodeMs: performance.now() - begunMs };
      }, this.#shareOf(bytes));
    } finally {
      this.#inHand -= 1;
    }
  }

  /** Of the room, in megapixels. */
  #shareOf(bytes: Uint8Array): number {
    const { width, height } = readImageHeader(bytes);
    const { maxMegapixels } = this.#settings;
    return Math.min(maxMegapixels, Math.max(this.#leastShare, Math.ceil((width * height) / 1e6)));
  }
}
