import * as z from "zod";
import { type Bundle, type RehearsalFiles, withFileName } from "../captioner/bundle.ts";

/**
 * Photos as the encoder sees them, with the captions that a model itself gives them. Training that goes on from the model
 * learns them beside what is new, so that it keeps saying them.
 */
export interface Rehearsal {
  featureSize: number;
  /** float32 [photos, featureSize]. */
  features: Float32Array;
  /** The words of each photo's captions, best first. */
  captions: string[][][];
}

/** Where a bundle has them. */
export const rehearsalFiles = { features: "rehearsal/features.bin", captions: "rehearsal/captions.jsonl" } as const;

const lineSchema = z.array(z.string()).min(1);

/**
 * What the files hold. Features: a float32 for each column, its step, then uint8 [photos, featureSize], how many steps each
 * value is; little-endian. Captions: a JSON list a line, a caption a string, its words separated by spaces.
 */
export function encodeRehearsal({ featureSize, features, captions }: Rehearsal): RehearsalFiles {
  const { steps, levels } = quantise(features, featureSize);
  const lines = captions.map((own) => `${JSON.stringify(own.map((words) => words.join(" ")))}\n`);
  return {
    features: Buffer.concat([new Uint8Array(steps.buffer), levels]),
    captions: Buffer.from(lines.join("")),
  };
}

/** Features as they are read back from a file: rounded to a 255th of what each column reaches. */
export function quantised(features: Float32Array, featureSize: number): Float32Array {
  return restore(quantise(features, featureSize));
}

function wordsOf(text: string): string[] {
  return text.split(" ").filter((word) => word !== ""); // a caption may have none
}

interface Quantised {
  /** float32 [featureSize]. */
  steps: Float32Array;
  /** uint8 [photos, featureSize]. */
  levels: Uint8Array;
}

/** Features are means of rectified values, so none is below 0. */
function quantise(features: Float32Array, featureSize: number): Quantised {
  const steps = new Float32Array(featureSize);
  for (const [at, value] of features.entries()) {
    const column = at % featureSize;
    steps[column] = Math.max(steps[column] ?? 0, value / 255);
  }
  const levelOf = (value: number, step: number) =>
    step > 0 ? Math.min(255, Math.max(0, Math.round(value / step))) : 0;
  return { steps, levels: Uint8Array.from(features, (value, at) => levelOf(value, steps[at % featureSize] ?? 0)) };
}

function restore({ steps, levels }: Quantised): Float32Array {
  return Float32Array.from(levels, (level, at) => level * (steps[at % steps.length] ?? 0));
}

/** Reads what a bundle has. Undefined where it has none. */
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
    return { featureSize, features: restore({ steps, levels: files.features.subarray(stepBytes) }), captions };
  });
}
