import type { PhotoCaption } from "../../captioner/captioner.ts";
import type { CaptionOptions, CaptionResult, ModelCard } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import type { PhotoIds } from "../../shared/photo-id.ts";

/** An endpoint takes no HEIC photos; the command itself does. */
export class HeicRefused extends CaptionError {}

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
