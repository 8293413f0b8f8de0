import type { SearchOptions } from "../../shared/caption-options.ts";
import type { FoundCaption } from "../beam-search.ts";
import type { CpuSettings, EngineChoice, OnnxDevice, Precision } from "../engine.ts";

/** The start parameters of an engine child, as JSON in its one argument. */
export interface EngineStart {
  /** The bundle's folder. */
  folder: string;
  choice: EngineChoice;
  cpu: CpuSettings;
  device: OnnxDevice;
}

/** A message from the service to its engine child, over the child's IPC channel with structured clone. */
export type EngineRequest = { call: number } & EngineCall;

export type EngineCall =
  /** `pixels`: uint8 [photos, height, width, 3], one entry of `options` per photo. */
  | { kind: "caption"; pixels: Uint8Array; options: readonly SearchOptions[] }
  /** `pixels`: uint8 [photos, height, width, 3]. */
  | { kind: "encode"; pixels: Uint8Array; photos: number }
  /** `features`: float32 [photos, featureSize], one entry of `options` per photo. */
  | { kind: "search"; features: Float32Array; options: readonly SearchOptions[] }
  /** Asks for a sign of life. */
  | { kind: "ping" };

/** An engine's description of itself, sent when it is warm. */
export interface EngineIdentity {
  name: string;
  device: string;
  precision: Precision;
  /** The reason for this engine, for the log. */
  reason: string;
  /** Whether it runs on the CPU although it was set up for a GPU. */
  isFallback: boolean;
  /** The bundle's revision, whatever the precision. */
  revision: string;
}

/** The captions of a batch, and the milliseconds that each network took. */
export interface BatchCaptions {
  captions: FoundCaption[][];
  encodeMs: number;
  searchMs: number;
}

/** A message from the child: once `ready` or `failed`, then one answer per call. */
export type EngineMessage =
  | ({ kind: "ready" } & EngineIdentity)
  | { kind: "failed"; reason: string }
  | ({ call: number } & EngineUsage & EngineAnswer);

/** What a child has used. */
export interface EngineUsage {
  /** Its resident memory. */
  memoryBytes: number;
  /** CPU time that it has spent in its networks since it is warm. */
  cpuSeconds: number;
}

export type EngineAnswer =
  | ({ kind: "captions" } & BatchCaptions)
  /** `features`: float32 [photos, featureSize]. */
  | { kind: "features"; features: Float32Array }
  | { kind: "pong" }
  | { kind: "error"; reason: string };
