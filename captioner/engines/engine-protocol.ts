import type { CaptionOptions } from "../../shared/contract.ts";
import type { FoundCaption } from "../beam-search.ts";
import type { CpuSettings, EngineChoice, OnnxDevice, Precision } from "../engine.ts";

/** What an engine child is started with, as JSON in its one argument. */
export interface EngineStart {
  /** Of the bundle. */
  folder: string;
  choice: EngineChoice;
  cpu: CpuSettings;
  device: OnnxDevice;
}

/** What the service asks of its engine child, over the child's IPC channel with structured clone. */
export type EngineRequest = { call: number } & EngineCall;

export type EngineCall =
  /** `pixels`: uint8 [photos, height, width, 3], an entry of `options` a photo. */
  | { kind: "caption"; pixels: Uint8Array; options: readonly CaptionOptions[] }
  /** `pixels`: uint8 [photos, height, width, 3]. */
  | { kind: "encode"; pixels: Uint8Array; photos: number }
  /** `features`: float32 [photos, featureSize], an entry of `options` a photo. */
  | { kind: "search"; features: Float32Array; options: readonly CaptionOptions[] }
  /** Whether anybody is there. */
  | { kind: "ping" };

/** What an engine says of itself when it is warm. */
export interface EngineIdentity {
  name: string;
  device: string;
  precision: Precision;
  /** Why this engine, in words for the log. */
  reason: string;
  /** Whether it runs on the CPU though it was set up for a GPU. */
  isFallback: boolean;
  /** Of the bundle, whatever the precision. */
  revision: string;
}

/** Captions of a batch, and the milliseconds that its two networks took. */
export interface BatchCaptions {
  captions: FoundCaption[][];
  encodeMs: number;
  searchMs: number;
}

/** What the child says: once `ready` (or `failed`), then one answer a call. */
export type EngineMessage =
  | ({ kind: "ready" } & EngineIdentity)
  | { kind: "failed"; reason: string }
  | ({ call: number /** Resident memory of the child. */; memoryBytes: number } & EngineAnswer);

export type EngineAnswer =
  | ({ kind: "captions" } & BatchCaptions)
  /** `features`: float32 [photos, featureSize]. */
  | { kind: "features"; features: Float32Array }
  | { kind: "pong" }
  | { kind: "error"; reason: string };
