import type { CaptionOptions } from "../shared/contract.ts";
import type { FoundCaption } from "./beam-search.ts";

/** What the service asks of its engine child, over the child's IPC channel with structured clone. */
export type EngineRequest = { call: number } & EngineCall;

export type EngineCall =
  /** `pixels`: uint8 [photos, height, width, 3], an entry of `options` a photo. */
  | { kind: "caption"; pixels: Uint8Array; options: readonly CaptionOptions[] }
  /** `pixels`: uint8 [photos, height, width, 3]. */
  | { kind: "encode"; pixels: Uint8Array; photos: number }
  /** `features`: float32 [photos, featureSize], an entry of `options` a photo. */
  | { kind: "search"; features: Float32Array; options: readonly CaptionOptions[] };

/** What the child says: once `ready` (or `failed`), then one answer a call. */
export type EngineMessage =
  | { kind: "ready"; name: string; device: string; reason: string; revision: string }
  | { kind: "failed"; reason: string }
  | { kind: "captions"; call: number; captions: FoundCaption[][] }
  /** `features`: float32 [photos, featureSize]. */
  | { kind: "features"; call: number; features: Float32Array }
  | { kind: "error"; call: number; reason: string };
