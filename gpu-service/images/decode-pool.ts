import { availableParallelism } from "node:os";
import { Semaphore } from "async-mutex";
import sharp from "sharp";
import { readImageHeader } from "../../shared/image-header.ts";
import type { Preprocessing } from "../../shared/manifest.ts";
import { type DecodedImage, decodeImage } from "./decode-image.ts";

interface DecodePoolSettings {
  preprocessing: Preprocessing;
  /** Of one photo. */
  maxPixels: number;
  allowHeic: boolean;
  /** Of all that are being decoded, in millions; a larger one is decoded alone. */
  maxMegapixels: number;
  /** That this process has for such work; one is left for whatever else needs one, such as checking a signature. */
  threads: number;
}

/** Decodes photos in the order they come, as many at once as there are cores, and so many pixels. */
export class DecodePool {
  readonly #settings: DecodePoolSettings;
  readonly #room: Semaphore;
  readonly #leastShare: number;
  #inHand = 0;

  constructor(settings: DecodePoolSettings) {
    sharp.concurrency(1); // a photo a core, and not all cores on one
    const atOnce = Math.max(1, Math.min(availableParallelism(), settings.threads - 1));
    this.#settings = settings;
    this.#room = new Semaphore(settings.maxMegapixels);
    this.#leastShare = Math.ceil(settings.maxMegapixels / atOnce);
  }

  /** Photos that are being decoded or wait for it. */
  get inHand(): number {
    return this.#inHand;
  }

  /**
   * As `decodeImage`, with the milliseconds that decoding took; the wait for its turn is none of them. Rejects with the
   * signal's reason when it aborts, at once; a photo that waits is then let go of and never decoded.
   */
  decode(bytes: Uint8Array, signal?: AbortSignal): Promise<TimedImage> {
    return new Promise((resolve, reject) => {
      const photo: Photo = { bytes };
      const share = this.#shareOf(bytes);
      const abort = () => {
        photo.bytes = undefined;
        reject(signal?.reason);
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort);
      this.#inHand += 1;
      const decoded = this.#room.runExclusive(() => this.#decodeNow(photo), share);
      const isOver = decoded.finally(() => {
        this.#inHand -= 1; // before anybody hears of it, or a lone photo would seem to have company
        signal?.removeEventListener("abort", abort);
      });
      isOver.then((image) => image !== undefined && resolve(image), reject);
    });
  }

  async #decodeNow({ bytes }: Photo): Promise<TimedImage | undefined> {
    if (bytes === undefined) return undefined;
    const begunMs = performance.now();
    const decoded = await decodeImage(bytes, this.#settings);
    return { ...decoded, decodeMs: performance.now() - begunMs };
  }

  /** Of the room, in megapixels. */
  #shareOf(bytes: Uint8Array): number {
    const { maxMegapixels, allowHeic } = this.#settings;
    const { width, height } = readImageHeader(bytes, { allowHeic });
    return Math.min(maxMegapixels, Math.max(this.#leastShare, Math.ceil((width * height) / 1e6)));
  }
}

type TimedImage = DecodedImage & { decodeMs: number };

interface Photo {
  /** Undefined once nobody waits for it. */
  bytes: Uint8Array | undefined;
}
