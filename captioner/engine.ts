import { precisions } from "../shared/contract.ts";

/** Engines to choose from; `auto` is the best that is set up. */
export const engineChoices = ["auto", "tensorflow", "onnx"] as const;

export type EngineChoice = (typeof engineChoices)[number];

/** Devices on which ONNX Runtime may run the encoder. */
export const onnxDevices = ["cpu", "cuda", "webgpu"] as const;

export type OnnxDevice = (typeof onnxDevices)[number];

export type Precision = (typeof precisions)[number];

/** Precisions to choose from; `auto` is int8 if it is enough faster on this machine. */
export const precisionChoices = ["auto", ...precisions] as const;

export type PrecisionChoice = (typeof precisionChoices)[number];

/** The default: on dev, int8 costs the shipped model less than can be measured, see docs/performance.md. */
export const defaultPrecision: PrecisionChoice = "auto";

/** Settings of an engine on a CPU. */
export interface CpuSettings {
  /** Undefined: one per core. */
  threads?: number;
  /** The encoder's precision; undefined: float32. */
  precision?: PrecisionChoice;
}

export interface OnnxSettings extends CpuSettings {
  /** The encoder's device; undefined: the CPU. */
  device?: OnnxDevice;
}

/** The decoder's state for some rows (photos × beams). Its receiver owns and releases it. */
export interface DecoderState {
  /** Frees what the engine holds for this state, which cannot be used afterwards. */
  release(): void;
}

/** The next words of each row that have the highest scores, best first; of equals, the lower id. Never padding or start. */
export interface DecoderStep {
  /** Word ids, int32 [rows, count]; fewer columns if the vocabulary has fewer words. */
  words: Int32Array;
  /** Natural logarithms of their probabilities, float32 of the same shape. */
  logProbabilities: Float32Array;
  /** Those plus the word evidence of the row's photo, where the bundle has word detectors; else the same numbers. */
  scores: Float32Array;
  state: DecoderState;
}

export interface DecoderRows {
  /** Row i continues row `parents[i]` of the state … */
  parents: Int32Array;
  /** … with the word `words[i]`. */
  words: Int32Array;
  /** How many next words are wanted per row. */
  count: number;
}

/** Runs an encoder. */
export interface EncoderEngine {
  readonly name: string;
  readonly device: string;
  readonly precision: Precision;
  /** `pixels` uint8 [photos, height, width, 3], RGB → float32 [photos, featureSize]. */
  encode(pixels: Uint8Array, photos: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Runs a bundle's two networks, as batched steps for the search. Calls block their thread in spite of their promises, so an
 * engine has a process of its own (engine-child.ts).
 */
export interface Engine extends EncoderEngine {
  /** float32 [photos, featureSize] → the state before the first word, one row per photo. */
  begin(features: Float32Array, photos: number): Promise<DecoderState>;
  /** Extends each row by one word. The given state remains the caller's. */
  step(state: DecoderState, rows: DecoderRows): Promise<DecoderStep>;
}
