import { precisions } from "../shared/contract.ts";

/** What may be asked for; `auto` is the best that is set up. */
export const engineChoices = ["auto", "tensorflow", "onnx"] as const;

export type EngineChoice = (typeof engineChoices)[number];

/** What ONNX Runtime may run the encoder on. */
export const onnxDevices = ["cpu", "cuda", "webgpu"] as const;

export type OnnxDevice = (typeof onnxDevices)[number];

export type Precision = (typeof precisions)[number];

/** `auto` is what is faster by enough on this machine. */
export const precisionChoices = ["auto", ...precisions] as const;

export type PrecisionChoice = (typeof precisionChoices)[number];

/** Where nothing is asked for: what int8 costs the shipped model on dev is less than can be told, see docs/performance.md. */
export const defaultPrecision: PrecisionChoice = "auto";

/** How an engine works on a CPU. */
export interface CpuSettings {
  /** Undefined: one a core. */
  threads?: number;
  /** Of the encoder; undefined: float32. */
  precision?: PrecisionChoice;
}

export interface OnnxSettings extends CpuSettings {
  /** What the encoder runs on; the CPU where it is left out. */
  device?: OnnxDevice;
}

/** The decoder's state for some rows (photos × beams). Owned by whoever got it, who releases it. */
export interface DecoderState {
  /** Frees what the engine holds for it; the state is of no use afterwards. */
  release(): void;
}

/** The most probable next words of each row, best first; of equals, the lower id. Padding and start are never among them. */
export interface DecoderStep {
  /** Word ids, int32 [rows, count]; fewer columns where the vocabulary has fewer words. */
  words: Int32Array;
  /** Natural logarithms of their probabilities, float32 of the same shape. */
  logProbabilities: Float32Array;
  state: DecoderState;
}

export interface DecoderRows {
  /** Row i goes on from row `parents[i]` of the state … */
  parents: Int32Array;
  /** … with the word `words[i]`. */
  words: Int32Array;
  /** How many next words are wanted a row. */
  count: number;
}

/** What runs an encoder. */
export interface EncoderEngine {
  readonly name: string;
  readonly device: string;
  readonly precision: Precision;
  /** `pixels` uint8 [photos, height, width, 3], RGB → float32 [photos, featureSize]. */
  encode(pixels: Uint8Array, photos: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * What runs a bundle's two networks. Search stands outside and sees only batched steps. Calls block the thread they
 * run on whatever their promises say, so an engine lives in a process of its own (engine-child.ts).
 */
export interface Engine extends EncoderEngine {
  /** float32 [photos, featureSize] → the state before the first word, a row a photo. */
  begin(features: Float32Array, photos: number): Promise<DecoderState>;
  /** One word further. The given state stays the caller's. */
  step(state: DecoderState, rows: DecoderRows): Promise<DecoderStep>;
}
