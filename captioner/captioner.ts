import { randomUUID } from "node:crypto";
import type { CaptionOptions } from "../shared/caption-options.ts";
import type { CaptionResult, ModelCard } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import type { PixelLimits } from "../shared/image-header.ts";
import type { Preprocessing } from "../shared/manifest.ts";
import type { Priority } from "../shared/priority.ts";
import { Batcher } from "./batcher.ts";
import type { FoundCaption } from "./beam-search.ts";
import { modelCardOf, openBundle } from "./bundle.ts";
import { toCandidate } from "./candidate.ts";
import { defaultPrecision, type EngineChoice, type OnnxDevice, type PrecisionChoice } from "./engine.ts";
import { EnginePool, type PoolEvents, visibleGpus } from "./engines/engine-pool.ts";
import type { EngineIdentity, EngineUsage } from "./engines/engine-protocol.ts";
import { readNativeSetup } from "./engines/native-setup.ts";
import { DecodePool } from "./images/decode-pool.ts";
import type { SlowPhotoLimits } from "./images/slow-photos.ts";
import { Quarantine } from "./quarantine.ts";

export interface CaptionerSettings extends PixelLimits {
  modelDir: string;
  engine: EngineChoice;
  /** The device of the onnx engine's encoder. */
  device: OnnxDevice;
  /** The precision of the encoder on a CPU. */
  precision: PrecisionChoice;
  /** Number of engine processes; undefined: one per GPU, else one. */
  engines?: number | undefined;
  /** The most photos in one batch. */
  maxBatch: number;
  /** How long a batch that is not full waits for photos that are being decoded. */
  batchWaitMs: number;
  /** How long a batch with photos of bulk priority may take; undefined where there are none. */
  bulkBatchMs?: number;
  /** Whether HEIC photos are taken, too. */
  allowHeic: boolean;
  /** Millions of pixels decoded at the same time. */
  decodeMegapixels: number;
  /** Threads of this process that may decode: libuv's, whose number is fixed when the process starts. */
  decodeThreads: number;
  /** Limits on photos that take long to decode; undefined if all photos are one person's. */
  slowPhotos?: SlowPhotoLimits;
  /** A photo that was given up counts as slow if it was decoded for so long, and for most of its time. */
  decodePatienceMs?: number;
  /** An engine that does not answer for this long is replaced. */
  engineTimeoutMs: number;
  /** An engine that is not warm after this time is started again. */
  engineStartMs: number;
  /** An engine whose memory exceeds this is replaced. */
  engineMemoryMb: number;
}

/** Settings for captioning inside a program, without a server. */
export const usualCaptionerSettings = {
  engine: "auto",
  device: "cpu",
  precision: defaultPrecision,
  maxBatch: 8,
  batchWaitMs: 10,
  maxPixels: 100_000_000,
  allowHeic: true,
  decodeMegapixels: 100,
  decodeThreads: 4,
  engineTimeoutMs: 30_000,
  engineStartMs: 120_000,
  engineMemoryMb: 4096,
} as const satisfies Partial<CaptionerSettings>;

interface CaptionRequest {
  bytes: Uint8Array;
  /** The id under which faults of this photo are remembered; undefined: they are not. */
  id?: string;
  options: CaptionOptions;
  /** The sender, if known: photos that take long to decode are limited per caller. */
  caller?: string | undefined;
  /** Photos of bulk priority let all others pass. */
  priority?: Priority;
  /** Cancels the request; the photo is dropped if it has not reached the model yet. */
  signal?: AbortSignal;
}

export type PhotoCaption = Omit<CaptionResult, "id" | "contentId">;

/**
 * Milliseconds that a photo spent in each phase. Encoding and search are its whole batch's; queue is all waiting: to be
 * decoded, for an engine, and the time that a lost engine took.
 */
export type PhaseTimings = Record<"decode" | "queue" | "encode" | "search", number>;

/** A stretch of time by `performance.now()`, in milliseconds. */
export interface Interval {
  fromMs: number;
  toMs: number;
}

/** When a photo was worked on; between these times it waited. */
export interface Timeline extends Record<"decode" | "encode" | "search", Interval> {
  /** One object for all photos of a batch. */
  batch: { photos: number };
}

interface CaptionedPhoto {
  caption: PhotoCaption;
  timings: PhaseTimings;
  timeline: Timeline;
}

/** A captioner's load at this moment. */
interface CaptionerState {
  /** Photos being decoded or waiting to be. */
  decoding: number;
  /** Decoded photos that wait for an engine. */
  queued: Record<Priority, number>;
  engines: { ready: number; expected: number; usage: EngineUsage[] };
}

/** Captions photos: decodes, batches, encodes and searches, with the networks in processes of their own. */
export interface Captioner {
  readonly card: ModelCard;
  /** The identity of a running engine. */
  engine(): EngineIdentity;
  /** Resolves when an engine is lost and cannot be replaced. */
  readonly gaveUp: Promise<Error>;
  state(): CaptionerState;
  caption(request: CaptionRequest): Promise<CaptionedPhoto>;
  close(): Promise<void>;
}

interface DecodedPhoto {
  pixels: Uint8Array;
  options: CaptionOptions;
  id: string;
}

interface FoundCaptions {
  captions: FoundCaption[];
  encodeMs: number;
  searchMs: number;
  batch: Timeline["batch"];
}

/** Opens the bundle and starts its engines; resolves when all are warm. */
export async function startCaptioner(settings: CaptionerSettings, events: PoolEvents = {}): Promise<Captioner> {
  const { modelDir, maxBatch, batchWaitMs, bulkBatchMs, decodePatienceMs = Number.POSITIVE_INFINITY } = settings;
  const bundle = await openBundle(modelDir);
  const pool = await startPool(settings, { events, onFree: () => batcher.pump() });
  const { revision, precision } = pool.identity;
  if (revision !== bundle.revision) {
    await pool.close();
    throw new Error(`${modelDir}: changed while it was being loaded, from ${bundle.revision} to ${revision}`);
  }
  const { vocabulary } = bundle;
  const { preprocessing, calibration: confidenceMap } = bundle.manifest;
  const card = modelCardOf(bundle, precision);
  const model = { id: card.id, revision: card.revision };
  const decoding = poolOf(settings, preprocessing);
  const quarantine = new Quarantine();
  const batcher = new Batcher<DecodedPhoto, FoundCaptions>({
    maxBatch,
    maxWaitMs: batchWaitMs,
    bulkMs: bulkBatchMs,
    isMoreComing: () => decoding.awaited > 0,
    workers: workersOf(pool),
    onLoss: ({ id }) => quarantine.countLoss(id),
  });
  void pool.gaveUp.then(() => batcher.stop(serviceEnding()));

  return {
    card,
    engine: () => pool.identity,
    gaveUp: pool.gaveUp,
    state: () => ({
      decoding: decoding.inFlight,
      queued: batcher.waiting,
      engines: { ready: pool.ready, expected: pool.size, usage: pool.usage },
    }),
    async caption({ bytes, id = randomUUID(), options, caller, priority = "interactive", signal }) {
      quarantine.admit(id);
      const begunMs = performance.now();
      const onGivenUp = ({ ms, isSlow }: { ms: number; isSlow: boolean }) => {
        const isPhotosFault = ms >= decodePatienceMs && ms >= (performance.now() - begunMs) / 2;
        if (isPhotosFault) quarantine.countTimeout(id, { isSlow });
      };
      const { pixels, image, decodeMs } = await decoding.decode(bytes, { signal, caller, priority, onGivenUp });
      const decodedAtMs = performance.now();
      const found = await batcher.push({ pixels, options, id }, { signal, priority }).catch((error) => {
        quarantine.admit(id);
        throw error;
      });
      quarantine.release(id);
      const { captions, encodeMs, searchMs, batch } = found;
      const foundAtMs = performance.now();
      const queueMs = foundAtMs - begunMs - decodeMs - encodeMs - searchMs;
      const candidates = captions.map((caption) => toCandidate(caption, { vocabulary, confidenceMap }));
      const [best] = candidates;
      if (best === undefined) throw new CaptionError("internal", "the search found no caption");
      const { caption, confidence } = best;
      return {
        caption: { caption, confidence, candidates, image, model, options },
        timings: { decode: decodeMs, queue: queueMs, encode: encodeMs, search: searchMs },
        timeline: {
          decode: endingAt(decodedAtMs, decodeMs),
          encode: endingAt(foundAtMs - searchMs, encodeMs),
          search: endingAt(foundAtMs, searchMs),
          batch,
        },
      };
    },
    close: () => {
      decoding.close();
      return pool.close();
    },
  };
}

function endingAt(toMs: number, ms: number): Interval {
  return { fromMs: toMs - ms, toMs };
}

function poolOf(settings: CaptionerSettings, preprocessing: Preprocessing): DecodePool {
  const { maxPixels, maxAvifPixels = maxPixels, allowHeic, decodeMegapixels, decodeThreads, slowPhotos } = settings;
  return new DecodePool({
    preprocessing,
    maxPixels,
    maxAvifPixels,
    allowHeic,
    maxMegapixels: decodeMegapixels,
    threads: decodeThreads,
    slowPhotos,
  });
}

function serviceEnding(): CaptionError {
  return new CaptionError("overloaded", "an engine could not be replaced: the service is stopping", {
    retryAfterSeconds: 1,
  });
}

async function startPool(
  { modelDir, engine, device, precision, engines, engineTimeoutMs, engineStartMs, engineMemoryMb }: CaptionerSettings,
  { events, onFree }: { events: PoolEvents; onFree: () => void },
): Promise<EnginePool> {
  const isOnGpu = engine === "onnx" ? device === "cuda" : readNativeSetup()?.kind === "gpu";
  const gpus = isOnGpu ? await visibleGpus() : [];
  return EnginePool.start({
    folder: modelDir,
    choice: engine,
    device,
    precision: isOnGpu && precision === "auto" ? "float32" : precision, // also if a GPU is lost later: captions stay the same
    engines: engines ?? Math.max(1, gpus.length),
    gpus,
    silenceLimitMs: engineTimeoutMs,
    startLimitMs: engineStartMs,
    memoryLimitBytes: engineMemoryMb * 2 ** 20,
    onFree,
    events,
  });
}

function workersOf(pool: EnginePool) {
  return {
    canTake: (batch: { isFull: boolean }) => pool.canTake(batch),
    async run(photos: readonly DecodedPhoto[]): Promise<FoundCaptions[]> {
      const options = photos.map((photo) => photo.options);
      const { captions, ...took } = await pool.run(
        photos.map(({ pixels }) => pixels),
        options,
      );
      const batch = { photos: photos.length };
      return captions.map((found) => ({ captions: found, batch, ...took }));
    },
  };
}
