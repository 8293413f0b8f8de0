import { availableParallelism } from "node:os";
import { Semaphore } from "async-mutex";
import sharp from "sharp";
import { expectFewPixels, type PixelLimits, readImageHeader } from "../../shared/image-header.ts";
import type { Preprocessing } from "../../shared/manifest.ts";
import { type CostlyLimits, CostlyPhotos } from "./costly-photos.ts";
import { type DecodedImage, decodeImage } from "./decode-image.ts";
import { DecodeProcess } from "./decode-process.ts";
import { estimateDecodeMs } from "./decoding-effort.ts";

/**
 * A photo expected to take longer is costly. Whoever sends one a second of those that are not, which is what a public
 * caller may by default, keeps a quarter of a core busy.
 */
const costlyMs = 250;
/** One core of so many may decode costly photos, and at least one. */
const coresPerCostlyLane = 8;

interface DecodePoolSettings extends PixelLimits {
  preprocessing: Preprocessing;
  allowHeic: boolean;
  /** Of all that are being decoded, costly photos and others apart, in millions; a larger one is decoded alone. */
  maxMegapixels: number;
  /** That this process has for such work; one is left for whatever else needs one, such as checking a signature. */
  threads: number;
  /** Undefined where all photos are one person's: costly ones may then have as many cores as the others. */
  costly: CostlyLimits | undefined;
}

interface DecodeOrder {
  signal?: AbortSignal | undefined;
  /** Who sent it; counts for costly photos. */
  caller?: string | undefined;
  /** Told when the signal aborts while the photo is being decoded. */
  onGivenUp?: ((decoding: { ms: number; isCostly: boolean }) => void) | undefined;
}

/**
 * Decodes photos, as many at once as there are cores, and so many pixels. Costly ones have lanes and processes of their own, so that the
 * others never wait for them. In both, shorter photos pass longer ones, but only those that came earlier by less than they
 * take: a photo is passed for as long as it takes itself, and then is next.
 */
export class DecodePool {
  readonly #settings: DecodePoolSettings;
  readonly #usualLanes: Lanes;
  readonly #costlyLanes: Lanes;
  readonly #costly: CostlyPhotos;
  /** For costly photos; none where all photos are one person's. */
  readonly #processes: DecodeProcess[];
  #usual = 0;

  constructor(settings: DecodePoolSettings) {
    sharp.concurrency(1); // a photo a core, and not all cores on one
    const { threads, costly, maxMegapixels } = settings;
    const cores = availableParallelism();
    const forCostly = costly === undefined ? 0 : Math.max(1, Math.floor(cores / coresPerCostlyLane));
    const atOnce = Math.max(1, Math.min(cores, threads - 1 - forCostly));
    this.#settings = settings;
    this.#processes = Array.from({ length: forCostly }, () => new DecodeProcess());
    this.#usualLanes = new Lanes({ atOnce, maxMegapixels });
    this.#costlyLanes = new Lanes({ atOnce: forCostly || atOnce, maxMegapixels });
    this.#costly = new CostlyPhotos(
      costly ?? { perCaller: Number.POSITIVE_INFINITY, inHand: Number.POSITIVE_INFINITY },
    );
  }

  /** Photos that are being decoded or wait for it. */
  get inHand(): number {
    return this.#usual + this.#costly.count;
  }

  /** Those of them that will be done soon. */
  get usual(): number {
    return this.#usual;
  }

  /**
   * As `decodeImage`, with the milliseconds that decoding took; the wait for its turn is none of them. Rejects with the
   * signal's reason when it aborts, at once; a photo that waits is then let go of and never decoded, and the process ends
   * that decodes a costly one, while another goes on, unheard. Also throws `rate_limited` and `overloaded` for costly photos.
   */
  async decode(bytes: Uint8Array, { signal, caller, onGivenUp }: DecodeOrder = {}): Promise<TimedImage> {
    signal?.throwIfAborted();
    const header = readImageHeader(bytes, { allowHeic: this.#settings.allowHeic });
    expectFewPixels(header, this.#settings);
    const expectedMs = estimateDecodeMs(bytes, header);
    const isCostly = expectedMs > costlyMs;
    const letGo = isCostly ? this.#costly.take({ caller, expectedMs }) : this.#takeUsual();
    const lanes = isCostly ? this.#costlyLanes : this.#usualLanes;
    const megapixels = (header.width * header.height) / 1e6;
    return new Promise((resolve, reject) => {
      const photo: Photo = { bytes, begunMs: undefined };
      const abort = () => {
        photo.bytes = undefined;
        if (photo.begunMs === undefined) letGo();
        else onGivenUp?.({ ms: performance.now() - photo.begunMs, isCostly });
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort);
      const work = () => this.#decodeNow(photo, isCostly ? { signal } : undefined);
      const decoded = lanes.run(work, { expectedMs, megapixels });
      const isOver = decoded.finally(() => {
        letGo(); // before anybody hears of it, or a lone photo would seem to have company
        signal?.removeEventListener("abort", abort);
      });
      isOver.then((image) => image !== undefined && resolve(image), reject);
    });
  }

  #takeUsual(): () => void {
    this.#usual += 1;
    let isTaken = true;
    return () => {
      if (isTaken) this.#usual -= 1;
      isTaken = false;
    };
  }

  /** Ends what decodes costly photos. */
  close(): void {
    for (const process of this.#processes) process.end();
  }

  async #decodeNow(
    photo: Photo,
    costly: { signal: AbortSignal | undefined } | undefined,
  ): Promise<TimedImage | undefined> {
    const { bytes } = photo;
    if (bytes === undefined) return undefined;
    const begunMs = performance.now();
    photo.begunMs = begunMs;
    const { preprocessing, maxPixels, maxAvifPixels = maxPixels, allowHeic } = this.#settings;
    const settings = { preprocessing, maxPixels, maxAvifPixels, allowHeic };
    const process = costly && this.#processes.pop(); // as many as there are lanes
    if (process === undefined) return timed(await decodeImage(bytes, settings), begunMs);
    try {
      return timed(await process.decode({ bytes, settings }, costly?.signal), begunMs);
    } finally {
      this.#processes.push(process);
    }
  }
}

type TimedImage = DecodedImage & { decodeMs: number };

function timed(image: DecodedImage, begunMs: number): TimedImage {
  return { ...image, decodeMs: performance.now() - begunMs };
}

interface Photo {
  /** Undefined once nobody waits for it. */
  bytes: Uint8Array | undefined;
  /** When its decoding began. */
  begunMs: number | undefined;
}

/** Runs so many at once, and so many megapixels, each when those are done that came earlier or take less. */
class Lanes {
  readonly #room: Semaphore;
  readonly #maxMegapixels: number;
  readonly #leastShare: number;

  constructor({ atOnce, maxMegapixels }: { atOnce: number; maxMegapixels: number }) {
    this.#room = new Semaphore(maxMegapixels);
    this.#maxMegapixels = maxMegapixels;
    this.#leastShare = Math.ceil(maxMegapixels / atOnce);
  }

  run<Result>(
    work: () => Promise<Result>,
    { expectedMs, megapixels }: { expectedMs: number; megapixels: number },
  ): Promise<Result> {
    const share = Math.min(this.#maxMegapixels, Math.max(this.#leastShare, Math.ceil(megapixels)));
    return this.#room.runExclusive(work, share, -(performance.now() + expectedMs));
  }
}
