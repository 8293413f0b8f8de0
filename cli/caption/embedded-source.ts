import { openBundle, revisionAt } from "../../captioner/bundle.ts";
import { startCaptioner, usualCaptionerSettings } from "../../captioner/captioner.ts";
import type { EngineChoice, OnnxDevice, PrecisionChoice } from "../../captioner/engine.ts";
import { expectedPrecision } from "../../captioner/onnx/precision-memory.ts";
import type { CaptionSource } from "./caption-source.ts";

/** One batch in the model, the next one decoded, and one whose captions are being written. */
const batchesAtOnce = 3;

export interface EmbeddedModel {
  modelDir: string;
  engine: EngineChoice;
  device: OnnxDevice;
  precision: PrecisionChoice;
}

/** Starts the model in this program; resolves when it is warm. */
export async function startEmbeddedSource(model: EmbeddedModel): Promise<CaptionSource> {
  const captioner = await startCaptioner({ ...usualCaptionerSettings, ...model });
  const { id, revision, precision } = captioner.card;
  return {
    model: { id, revision, precision },
    atOnce: batchesAtOnce * usualCaptionerSettings.maxBatch,
    caption: async (photo) => (await captioner.caption(photo)).caption,
    close: () => captioner.close(),
  };
}

/** The revision that the model's captions have; it is started only where nobody has measured yet what `auto` is. */
export async function readEmbeddedRevision(model: EmbeddedModel): Promise<string> {
  const bundle = await openBundle(model.modelDir);
  const known = await expectedPrecision(bundle, model);
  if (known !== undefined) return revisionAt(bundle, known);
  const source = await startEmbeddedSource(model);
  await source.close();
  return source.model.revision;
}
