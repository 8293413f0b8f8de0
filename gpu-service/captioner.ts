import type { CaptionOptions, CaptionResult, ModelCard } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { BatchQueue } from "./batch-queue.ts";
import type { FoundCaption } from "./beam-search.ts";
import { modelCardOf, openBundle } from "./bundle.ts";
import { toCandidate } from "./candidate.ts";
import { decodeImage } from "./decode-image.ts";
import type { EngineChoice } from "./engine.ts";
import { startEngineProcess } from "./engine-process.ts";

export interface CaptionerSettings {
  modelDir: string;
  engine: EngineChoice;
  /** Photos that go through the model together. */
  maxBatch: number;
  /** Pixels of one photo, by its header. */
  maxPixels: number;
  /** Photos in hand at once, decoding ones included; one more is refused with `overloaded`. */
  maxQueued: number;
}

interface Photo {
  bytes: Uint8Array;
  options: CaptionOptions;
  /** Drops the photo if it has not reached the model yet. */
  signal?: AbortSignal;
}

export type PhotoCaption = Omit<CaptionResult, "id" | "contentId">;

/** From bytes to words: decodes, batches, encodes and searches, the networks in a process of their own. */
export interface Captioner {
  readonly card: ModelCard;
  readonly engine: { name: string; device: string; reason: string };
  /** Resolves when the engine has died; every caption after that fails. */
  readonly died: Promise<Error>;
  caption(photo: Photo): Promise<PhotoCaption>;
  close(): Promise<void>;
}

/** Opens the bundle and starts its engine; resolves when it is warm. */
export async function startCaptioner({
  modelDir,
  engine: choice,
  maxBatch,
  maxPixels,
  maxQueued,
}: CaptionerSettings): Promise<Captioner> {
  const bundle = await openBundle(modelDir);
  const engine = await startEngineProcess(modelDir, choice);
  if (engine.revision !== bundle.revision) {
    await engine.close();
    throw new Error(`${modelDir}: changed while it was being loaded, from ${bundle.revision} to ${engine.revision}`);
  }
  const { vocabulary } = bundle;
  const { preprocessing, calibration } = bundle.manifest;
  const card = modelCardOf(bundle);
  const queue = new BatchQueue<{ pixels: Uint8Array; options: CaptionOptions }, FoundCaption[]>({
    maxBatch,
    run: (photos) =>
      engine.caption(
        Buffer.concat(photos.map(({ pixels }) => pixels)),
        photos.map(({ options }) => options),
      ),
  });
  let inHand = 0;

  return {
    card,
    engine: { name: engine.name, device: engine.device, reason: engine.reason },
    died: engine.died,
    async caption({ bytes, options, signal }) {
      if (inHand >= maxQueued) {
        throw new CaptionError("overloaded", `expected at most ${maxQueued} photos at once`, { retryAfterSeconds: 1 });
      }
      inHand += 1;
      try {
        const { pixels, image } = await decodeImage(bytes, { preprocessing, maxPixels });
        const found = await queue.push({ pixels, options }, signal);
        const candidates = found.map((caption) => toCandidate(caption, { vocabulary, calibration }));
        const [best] = candidates;
        if (best === undefined) throw new CaptionError("internal", "the search found no caption");
        const model = { id: card.id, revision: card.revision };
        return { caption: best.caption, confidence: best.confidence, candidates, image, model, options };
      } finally {
        inHand -= 1;
      }
    },
    close: () => engine.close(),
  };
}
