import { availableParallelism } from "node:os";
import { Semaphore } from "async-mutex";
import sharp from "sharp";
import type { PixelLimits } from "../../shared/image-header.ts";
import type { Preprocessing } from "../../shared/manifest.ts";
import type { Priority } from "../../shared/priority.ts";
import { type DecodedImage, decodeValidated, type ValidatedPhoto, validatePhoto } from "./decode-image.ts";
import { DecodeProcess } from "./decode-process.ts";
import { estimateDecodeMs } from "./decoding-effort.ts";
import { type SlowPhotoLimits, SlowPhotos } from "./slow-photos.ts";

/**
 * A photo expected to take longer is slow. One photo per second that is not, a public caller's default rate, keeps a
 * quarter of a core busy at most.
 */
const slowMs = 250;
/** How far photos of bulk priority stand behind all others in a queue: longer than any of them waits. */
const bulkHandicapMs = 24 * 3600 * 1000;
/** One core in so many decodes slow photos, but at least one. */
const coresPerSlowDecoder = 8;

interface DecodePoolSettings extends PixelLimits {
  preprocessing: Preprocessing;
  allowHeic: boolean;
  /** Millions of pixels decoded at the same time, counted separately for slow photos; a larger photo is decoded alone. */
  maxMegapixels: number;
  /** Threads of this process for such work; one is left for other work, like checking a signature. */
  threads: number;
  /** Undefined if all photos are one person's: slow ones may then use as many cores as the others. */
  slowPhotos: SlowPhotoLimits | undefined;
}

interface DecodeOptions {
  signal?: AbortSignal | undefined;
  /** The sender; limits slow photos. */
  caller?: string | undefined;
  priority?: Priority;
  /** Called when the signal aborts while the photo is being decoded. */
  onGivenUp?: ((decoding: { ms: number; isSlow: boolean }) => void) | undefined;
}

/**
 * Decodes photos, as many at once as there are cores, and no more pixels than allowed. Slow photos have a queue and
 * processes of their own, so that others never wait for them. In both queues photos of bulk priority come last, and shorter
 * photos overtake longer ones, but only those that come within the time that the longer one takes itself.
 */
export class DecodePool {
  readonly #settings: DecodePoolSettings;
  readonly #usualQueue: DecodeQueue;
  readonly #slowQueue: DecodeQueue;
  readonly #slow: SlowPhotos;
  /** Processes that decode slow photos; none if all photos are one person's. */
  readonly #processes: DecodeProcess[];
  #usual = 0;
  #awaited = 0;

  constructor(settings: DecodePoolSettings) {
    sharp.concurrency(1); // one photo per core, instead of all cores on one photo
    const { threads, slowPhotos, maxMegapixels } = settings;
    const cores = availableParallelism();
    const forSlow = slowPhotos === undefined ? 0 : Math.max(1, Math.floor(cores / coresPerSlowDecoder));
    const atOnce = Math.max(1, Math.min(cores, threads - 1 - forSlow));
    this.#settings = settings;
    this.#processes = Array.from({ length: forSlow }, () => new DecodeProcess());
    this.#usualQueue = new DecodeQueue({ atOnce, maxMegapixels });
    this.#slowQueue = new DecodeQueue({ atOnce: forSlow || atOnce, maxMegapixels });
    this.#slow = new SlowPhotos(slowPhotos ?? { perCaller: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY });
  }

  /** Photos that are being decoded or wait to be. */
  get inFlight(): number {
    return this.#usual + this.#slow.count;
  }

  /** The photos in flight for which a batch should wait: those that are neither slow nor of bulk priority. */
  get awaited(): number {
    return this.#awaited;
  }

  /**
   * The same as `decodeImage`, with the milliseconds that decoding took, without its wait. Rejects with the signal's reason
   * as soon as it aborts: a waiting photo is then never decoded, the process of a slow one is killed, and any other is
   * decoded to its end for nothing. Also throws `rate_limited` and `overloaded` for slow photos.
   */
  async decode(bytes: Uint8Array, { signal, caller, priority, onGivenUp }: DecodeOptions = {}): Promise<TimedImage> {
    signal?.throwIfAborted();
    const photo = validatePhoto(bytes, this.#settings);
    const { header } = photo;
    const expectedMs = estimateDecodeMs(bytes, header);
    const isSlow = expectedMs > slowMs;
    const isBulk = priority === "bulk";
    const release = isSlow ? this.#slow.take({ caller, expectedMs }) : this.#takeUsual({ isBulk });
    const queue = isSlow ? this.#slowQueue : this.#usualQueue;
    const megapixels = (header.width * header.height) / 1e6;
    return new Promise((resolve, reject) => {
      const job: DecodeJob = { photo, begunMs: undefined };
      const abort = () => {
        job.photo = undefined;
        if (job.begunMs === undefined) release();
        else onGivenUp?.({ ms: performance.now() - job.begunMs, isSlow });
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort);
      const work = () => this.#decodeNow(job, isSlow ? { signal } : undefined);
      const decoded = queue.run(work, { expectedMs, megapixels, isBulk });
      const isOver = decoded.finally(() => {
        release(); // before its caller knows, or batches would wait for a photo that is done
        signal?.removeEventListener("abort", abort);
      });
      isOver.then((image) => image !== undefined && resolve(image), reject);
    });
  }

  #takeUsual({ isBulk }: { isBulk: boolean }): () => void {
    const awaited = isBulk ? 0 : 1;
    this.#usual += 1;
    this.#awaited += awaited;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#usual -= 1;
      this.#awaited -= awaited;
    };
  }

  /** Kills the processes that decode slow photos. */
  close(): void {
    for (const process of this.#processes) process.end();
  }

  async #decodeNow(
    job: DecodeJob,
    slow: { signal: AbortSignal | undefined } | undefined,
  ): Promise<TimedImage | undefined> {
    const { photo } = job;
    if (photo === undefined) return undefined;
    const begunMs = performance.now();
    job.begunMs = begunMs;
    const { preprocessing, maxPixels } = this.#settings;
    const settings = { preprocessing, maxPixels };
    const process = slow && this.#processes.pop(); // one for each that the queue runs
    if (process === undefined) return timed(await decodeValidated(photo, settings), begunMs);
    try {
      return timed(await process.decode({ photo, settings }, slow?.signal), begunMs);
    } finally {
      this.#processes.push(process);
    }
  }
}

type TimedImage = DecodedImage & { decodeMs: number };

function timed(image: DecodedImage, begunMs: number): TimedImage {
  return { ...image, decodeMs: performance.now() - begunMs };
}

interface DecodeJob {
  /** Undefined once its caller has given up. */
  photo: ValidatedPhoto | undefined;
  /** When decoding began; undefined while it waits. */
  begunMs: number | undefined;
}

/** Runs jobs, at most so many megapixels and so many jobs at once, in the order of arrival plus expected duration; bulk last. */
class DecodeQueue {
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
    { expectedMs, megapixels, isBulk }: { expectedMs: number; megapixels: number; isBulk: boolean },
  ): Promise<Result> {
    const share = Math.min(this.#maxMegapixels, Math.max(this.#leastShare, Math.ceil(megapixels)));
    const placeMs = performance.now() + expectedMs + (isBulk ? bulkHandicapMs : 0);
    return this.#room.runExclusive(work, share, -placeMs);
  }
}
