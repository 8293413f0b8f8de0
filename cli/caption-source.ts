import type { PhotoCaption } from "../gpu-service/captioner.ts";
import type { CaptionOptions, CaptionResult, ModelCard } from "../shared/contract.ts";
import type { PhotoIds } from "../shared/photo-id.ts";

/** Where captions come from: the model in this program, or an endpoint. */
export interface CaptionSource {
  readonly model: CaptionResult["model"] & Pick<ModelCard, "precision">;
  /** Photos that it should have in hand, so that it never waits for one. */
  readonly atOnce: number;
  /** What it knows of a photo without seeing it; undefined where it always has to see it. */
  lookUp?(ids: PhotoIds): Promise<PhotoCaption | undefined>;
  /** Throws a `CaptionError` for what is wrong with this photo alone. */
  caption(photo: { bytes: Uint8Array<ArrayBuffer>; options: CaptionOptions }): Promise<PhotoCaption>;
  close(): Promise<void>;
}
