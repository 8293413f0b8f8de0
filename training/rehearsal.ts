import * as z from "zod";
import { type Bundle, type RehearsalFiles, withFileName } from "../captioner/bundle.ts";

/**
 * Features of photos with a model's own captions of them. Training that continues from the model learns them beside the
 * new captions, so that it keeps what it knows.
 */
export interface Rehearsal {
  featureSize: number;
  /** float32 [photos, featureSize]. */
  features: Float32Array;
  /** Words of each photo's captions, best first. */
  captions: string[][][];
}

/** Paths in a bundle. */
export const rehearsalFiles = { features: "rehearsal/features.bin", captions: "rehearsal/captions.jsonl" } as const;

const lineSchema = z.array(z.string()).min(1);

/**
 * Encodes the files. Features: one float32 step per column, then uint8 [photos, featureSize], each value as a number of
 * steps; little-endian. Captions: a JSON list per line, one string per caption, words separated by spaces.
 */
export function encodeRehearsal({ featureSize, features, captions }: Rehearsal): RehearsalFiles {
  const { steps, levels } = quantizeFeatures(features, featureSize);
  const lines = captions.map((own) => `${JSON.stringify(own.map((words) => words.join(" ")))}\n`);
  return {
    features: Buffer.concat([new Uint8Array(steps.buffer), levels]),
    captions: Buffer.from(lines.join("")),
  };
}

/** Returns features as they will be read back: rounded to 1/255 of each column's maximum. */
export function roundToLevels(features: Float32Array, featureSize: number): Float32Array {
  return restoreFeatures(quantizeFeatures(features, featureSize));
}

function wordsOf(text: string): string[] {
  return text.split(" ").filter((word) => word !== ""); // a caption may be empty
}

interface QuantizedFeatures {
  /** float32 [featureSize]. */
  steps: Float32Array;
  /** uint8 [photos, featureSize]. */
  levels: Uint8Array;
}

/** Quantizes features, which are never below 0: they are means of rectified values. */
function quantizeFeatures(features: Float32Array, featureSize: number): QuantizedFeatures {
  const steps = new Float32Array(featureSize);
  for (const [at, value] of features.entries()) {
    const column = at % featureSize;
    steps[column] = Math.max(steps[column] ?? 0, value / 255);
  }
  const levelOf = (value: number, step: number) =>
    step > 0 ? Math.min(255, Math.max(0, Math.round(value / step))) : 0;
  return { steps, levels: Uint8Array.from(features, (value, at) => levelOf(value, steps[at % featureSize] ?? 0)) };
}

function restoreFeatures({ steps, levels }: QuantizedFeatures): Float32Array {
  return Float32Array.from(levels, (level, at) => level * (steps[at % steps.length] ?? 0));
}

/** Reads a bundle's rehearsal; undefined if it has none. */
export async function readRehearsal(bundle: Bundle): Promise<Rehearsal | undefined> {
  const files = await bundle.readRehearsal();
  const { rehearsal, encoder } = bundle.manifest;
  if (files === undefined || rehearsal === undefined) return undefined;
  const { featureSize } = encoder;
  return withFileName(`${bundle.folder}/${rehearsal.features}`, () => {
    const lines = new TextDecoder().decode(files.captions).split("\n").slice(0, -1);
    const captions = lines.map((line) => lineSchema.parse(JSON.parse(line)).map(wordsOf));
    const stepBytes = 4 * featureSize;
    const expected = stepBytes + captions.length * featureSize;
    if (files.features.length !== expected) {
      throw new Error(`expected ${expected} bytes for ${captions.length} photos, found ${files.features.length}`);
    }
    const steps = new Float32Array(new Uint8Array(files.features.subarray(0, stepBytes)).buffer); // a copy, aligned
    return { featureSize, features: restoreFeatures({ steps, levels: files.features.subarray(stepBytes) }), captions };
  });
}
