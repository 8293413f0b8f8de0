import DataLoader from "dataloader";
import { openBundle, revisionAt } from "../../captioner/bundle.ts";
import {
  type Captioner,
  type PhotoCaption,
  startCaptioner,
  usualCaptionerSettings,
} from "../../captioner/captioner.ts";
import type { EngineChoice, OnnxDevice, PrecisionChoice } from "../../captioner/engine.ts";
import { expectedPrecision } from "../../captioner/onnx/precision-memory.ts";
import type { SearchOptions } from "../../shared/caption-options.ts";
import { CaptionClient } from "../../shared/client.ts";
import type { CaptionResult, ModelCard, PhotoId } from "../../shared/contract.ts";
import { CaptionError, errorFacts } from "../../shared/errors.ts";
import { readImageHeader } from "../../shared/image-header.ts";
import type { PhotoIds } from "../../shared/photo-id.ts";

/** Where captions come from: the model in this program, or an endpoint. */
export interface CaptionBackend {
  readonly model: CaptionResult["model"] & Pick<ModelCard, "precision">;
  /** Photos to hand over at once, so that it never waits for one. */
  readonly atOnce: number;
  /** Looks a photo's caption up by its ids; absent where the photo itself is always needed. */
  lookUp?(ids: PhotoIds): Promise<PhotoCaption | undefined>;
  /** Throws a `CaptionError` for what is wrong with this photo alone. */
  caption(photo: { bytes: Uint8Array<ArrayBuffer>; options: SearchOptions }): Promise<PhotoCaption>;
  close(): Promise<void>;
}

/** Thrown for a HEIC photo by an endpoint that takes none; the local model does. */
export class HeicRefused extends CaptionError {}

/** One batch in the model, the next one decoded, and one whose captions are being written. */
const batchesAtOnce = 3;

/** A model to run on this machine. */
export interface LocalModel {
  modelDir: string;
  engine: EngineChoice;
  device: OnnxDevice;
  precision: PrecisionChoice;
}

/** Starts a model beside this program; resolves when it is warm. */
export async function startLocalModel(model: LocalModel): Promise<CaptionBackend> {
  return toBackend(await startCaptioner({ ...usualCaptionerSettings, ...model }));
}

/** A captioner in this program as a backend, which closes it. */
export function toBackend(captioner: Captioner): CaptionBackend {
  const { id, revision, precision } = captioner.card;
  return {
    model: { id, revision, precision },
    atOnce: batchesAtOnce * usualCaptionerSettings.maxBatch,
    caption: async (photo) => (await captioner.caption(photo)).caption,
    close: () => captioner.close(),
  };
}

/** Reads the revision that a local model's captions have. Starts it only where `auto` has not been measured here yet. */
export async function readLocalRevision(model: LocalModel): Promise<string> {
  const bundle = await openBundle(model.modelDir);
  const known = await expectedPrecision(bundle, model);
  if (known !== undefined) return revisionAt(bundle, known);
  const backend = await startLocalModel(model);
  await backend.close();
  return backend.model.revision;
}

/** A run of thousands of photos can wait: the client's own limits are for people. */
const patience = { maxTries: 10, maxWaitSeconds: 300 };
/** Time to gather ids that are looked up together. */
const gatherMs = 20;

export interface EndpointSettings {
  /** URL of the edge. */
  endpoint: string;
  apiKey: string | undefined;
  options: SearchOptions;
  /** Photos that are uploaded at once. */
  uploads: number;
}

/** Opens an endpoint. Photos are looked up by their ids first, many together, and only those it does not know are uploaded. */
export async function openEndpoint({ endpoint, apiKey, options, uploads }: EndpointSettings): Promise<CaptionBackend> {
  const client = new CaptionClient({ origin: endpoint, apiKey, ...patience });
  const { id, revision, precision } = await client.modelCard();
  const known = new DataLoader<PhotoId, CaptionResult | undefined>(
    async (ids) => {
      const found = await client.lookUpMany(ids, options);
      return ids.map((wanted) => found.get(wanted));
    },
    {
      cache: false, // the state is one
      batchScheduleFn: (look) => setTimeout(look, gatherMs),
    },
  );
  return {
    model: { id, revision, precision },
    atOnce: uploads,
    lookUp: ({ id, contentId }) => endOnLastingError(endpoint, () => known.load(contentId ?? id)),
    caption: async ({ bytes }) =>
      (await endOnLastingError(endpoint, () => recognizeHeic(bytes, () => client.caption(bytes, options)))).result,
    close: async () => {},
  };
}

/** Reads the revision of the model that an endpoint has at present. */
export async function readEndpointRevision({
  endpoint,
  apiKey,
}: Pick<EndpointSettings, "endpoint" | "apiKey">): Promise<string> {
  return (await new CaptionClient({ origin: endpoint, apiKey }).modelCard()).revision;
}

/** Distinguishes a HEIC photo, which is refused for its format, from a file that is no photo. */
async function recognizeHeic<Result>(bytes: Uint8Array, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof CaptionError) || cause.code !== "unsupported_media_type" || !isHeic(bytes)) throw cause;
    throw new HeicRefused(cause.code, cause.message, { cause });
  }
}

function isHeic(bytes: Uint8Array): boolean {
  try {
    return readImageHeader(bytes, { allowHeic: true }).format === "heic";
  } catch {
    return false;
  }
}

/** Ends the run where the endpoint refuses every request, instead of failing photo by photo. */
async function endOnLastingError<Result>(endpoint: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof CaptionError) || !errorFacts[cause.code].isForEveryPhoto) throw cause;
    throw new Error(`${endpoint}: ${cause.message}; start again later, what was captioned is kept`, { cause });
  }
}
