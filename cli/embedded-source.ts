import { startCaptioner, usualCaptionerSettings } from "../gpu-service/captioner.ts";
import type { EngineChoice, OnnxDevice } from "../gpu-service/engine.ts";
import type { CaptionSource } from "./caption-source.ts";

/** One batch in the model, the next one decoded, and one whose captions are being written. */
const batchesAtOnce = 3;

/** Starts the model in this program; resolves when it is warm. */
export async function startEmbeddedSource({
  modelDir,
  engine,
  device,
}: {
  modelDir: string;
  engine: EngineChoice;
  device: OnnxDevice;
}): Promise<CaptionSource> {
  const captioner = await startCaptioner({ ...usualCaptionerSettings, modelDir, engine, device });
  const { id, revision } = captioner.card;
  return {
    model: { id, revision },
    atOnce: batchesAtOnce * usualCaptionerSettings.maxBatch,
    caption: async (photo) => (await captioner.caption(photo)).caption,
    close: () => captioner.close(),
  };
}
