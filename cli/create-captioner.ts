import { pMapIterable } from "p-map";
import { defaultModelDir } from "../captioner/bundle.ts";
import { startCaptioner, usualCaptionerSettings } from "../captioner/captioner.ts";
import { defaultPrecision, type EngineChoice, type OnnxDevice, type PrecisionChoice } from "../captioner/engine.ts";
import { readPhotoFile } from "../files/read-photo-file.ts";
import { formResult } from "../shared/caption-form.ts";
import { type CaptionOptions, parseCaptionOptions } from "../shared/caption-options.ts";
import type { CaptionResult, ModelCard } from "../shared/contract.ts";
import { photoIdsOf } from "../shared/photo-id.ts";

/** A photo's bytes, or the path of its file. */
export type Photo = Uint8Array | string;

/** What a captioner runs on, and how it searches: `beam` is 1 to 10, 1 being greedy search; `candidates` is at most `beam`. */
export interface CaptionerOptions extends Partial<CaptionOptions> {
  /** Folder of a model bundle; by default the one that ships with the package. */
  modelDir?: string;
  /** What runs the model; `auto` is TensorFlow where it finds a GPU, otherwise ONNX Runtime. */
  engine?: EngineChoice;
  /** What the onnx engine's encoder runs on; by default the CPU. Needs `engine: "onnx"`. */
  device?: OnnxDevice;
  /** Number format of the encoder on a CPU; `auto` is int8 where it is faster on this machine. */
  precision?: PrecisionChoice;
}

/** One of many photos, with its result or why it has none. */
export type CaptionOutcome = { photo: Photo; result: CaptionResult } | { photo: Photo; error: unknown };

/** A loaded model that captions photos until it is closed. */
export interface PhotoCaptioner {
  /** The model's id, revision, vocabulary size, scores and licence. */
  readonly model: ModelCard;
  /** Captions a photo. Throws a `CaptionError` with a code of the HTTP contract for what cannot be captioned, the file system's error for what cannot be read. */
  caption(photo: Photo): Promise<CaptionResult>;
  /** Captions photos, several at a time, and yields the outcomes in their order. One that fails does not end the others. */
  captionMany(photos: AsyncIterable<Photo> | Iterable<Photo>): AsyncIterable<CaptionOutcome>;
  /** Ends the model's process, so that the program can end. */
  close(): Promise<void>;
}

/** One batch in the model, the next one decoded. */
const atOnce = 2 * usualCaptionerSettings.maxBatch;

/** Loads the model in a process of its own; resolves when it is warm. */
export async function createCaptioner({
  modelDir = defaultModelDir,
  engine = "auto",
  device = "cpu",
  precision = defaultPrecision,
  ...search
}: CaptionerOptions = {}): Promise<PhotoCaptioner> {
  const given = Object.entries(search).filter(([, value]) => value !== undefined);
  const asked = given.map(([name, value]): [string, string] => [name, String(value)]);
  const options = parseCaptionOptions(new URLSearchParams(asked));
  const captioner = await startCaptioner({ ...usualCaptionerSettings, modelDir, engine, device, precision });
  const caption = async (photo: Photo): Promise<CaptionResult> => {
    const bytes = typeof photo === "string" ? await readPhotoFile(photo) : new Uint8Array(photo);
    const ids = await photoIdsOf(bytes);
    return formResult({ ...ids, ...(await captioner.caption({ bytes, options })).caption }, options);
  };
  return {
    model: captioner.card,
    caption,
    captionMany: (photos) =>
      pMapIterable(
        photos,
        async (photo): Promise<CaptionOutcome> => {
          try {
            return { photo, result: await caption(photo) };
          } catch (error) {
            return { photo, error };
          }
        },
        { concurrency: atOnce },
      ),
    close: () => captioner.close(),
  };
}
