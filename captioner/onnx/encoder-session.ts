import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import type { Divisors } from "../../shared/ranges.ts";
import { type EncoderBundle, withFileName } from "../bundle.ts";
import type { EncoderEngine, OnnxDevice, Precision, PrecisionChoice } from "../engine.ts";
import { compileEncoder, compileInt8Encoder, compileProbes } from "./encoder.ts";
import { recallPrecision, rememberPrecision } from "./precision-memory.ts";
import type { ProbedLayer } from "./quantize/activation-precision.ts";
import { createGpuSession, createSession, floatsOf } from "./session.ts";

/** The least speedup for which int8 is chosen, since its captions differ slightly from float32's. */
const leastGain = 1.3;

/** The least time saved per photo for which int8 is chosen. */
const leastSavedMs = 3;

const rounds = 3;

export type EncoderSession = Pick<EncoderEngine, "precision" | "encode" | "close">;

/** Compiles a bundle's encoder and loads it into ONNX Runtime. Throws for int8 if the bundle has no ranges. */
export async function createEncoderSession(
  bundle: EncoderBundle,
  { threads, precision, device = "cpu" }: { threads: number; precision: Precision; device?: OnnxDevice },
): Promise<EncoderSession> {
  const { width, height } = bundle.manifest.preprocessing;
  const graph = compileAt(bundle, precision);
  const session = device === "cpu" ? await createSession(graph, { threads }) : await createGpuSession(graph, device);
  return {
    precision,
    async encode(pixels, photos) {
      const { features } = await session.run({ pixels: new Tensor("uint8", pixels, [photos, height, width, 3]) });
      return floatsOf(features);
    },
    close: () => session.release(),
  };
}

function compileAt(bundle: EncoderBundle, precision: Precision): Uint8Array {
  const { folder, manifest } = bundle;
  const { topology, featureSize, ranges: path = topology } = manifest.encoder;
  const spec = { preprocessing: manifest.preprocessing, featureSize };
  if (precision === "float32") {
    return withFileName(join(folder, topology), () => compileEncoder(bundle.readEncoder(), spec));
  }
  const known = bundle.readRanges();
  if (known === undefined) {
    throw new Error(`${folder}: expected a bundle with its layers' ranges for int8, found none: use float32 or auto`);
  }
  return withFileName(join(folder, path), () => compileInt8Encoder(bundle.readEncoder(), { ...spec, ...known }));
}

/**
 * Creates a session of the wanted precision. `auto` is int8 if the bundle has ranges and this machine is faster with it,
 * which is measured once per machine and bundle.
 */
export async function openEncoderSession(
  bundle: EncoderBundle,
  { threads, precision }: { threads: number; precision: PrecisionChoice },
): Promise<EncoderSession> {
  const open = (chosen: Precision) => createEncoderSession(bundle, { threads, precision: chosen });
  if (precision !== "auto") return open(precision);
  if (bundle.readRanges() === undefined) return open("float32");
  const known = await recallPrecision(bundle, threads);
  if (known !== undefined) return open(known);
  const model = bundle.readEncoder();
  const parsed = { ...bundle, readEncoder: () => model }; // parsed once for both
  const sessions = {
    float32: await createEncoderSession(parsed, { threads, precision: "float32" }),
    int8: await createEncoderSession(parsed, { threads, precision: "int8" }),
  };
  const chosen = choosePrecision(await timeSessions(bundle, sessions));
  await rememberPrecision(bundle, { threads, precision: chosen });
  await sessions[chosen === "int8" ? "float32" : "int8"].close(); // only the chosen one stays in memory
  return sessions[chosen];
}

/** Chooses by milliseconds per photo. */
export function choosePrecision({ float32, int8 }: Record<Precision, number>): Precision {
  return float32 >= leastGain * int8 && float32 - int8 >= leastSavedMs ? "int8" : "float32";
}

/** The least milliseconds of a single photo with each session, in alternation, after one uncounted round. */
async function timeSessions(
  { manifest }: EncoderBundle,
  sessions: Record<Precision, EncoderSession>,
): Promise<Record<Precision, number>> {
  const { width, height } = manifest.preprocessing;
  const pixels = new Uint8Array(width * height * 3).map((_, index) => index % 251);
  const least = { float32: Number.POSITIVE_INFINITY, int8: Number.POSITIVE_INFINITY };
  for (let round = 0; round <= rounds; round++) {
    for (const precision of ["float32", "int8"] as const) {
      const begun = performance.now();
      await sessions[precision].encode(pixels, 1);
      if (round > 0) least[precision] = Math.min(least[precision], performance.now() - begun);
    }
  }
  return least;
}

/** A float32 encoder with channel equalization whose layers' outputs can be observed. */
export interface Probes {
  /** The layers whose range the int8 encoder needs. */
  layers: readonly ProbedLayer[];
  /** One photo, uint8 [1, height, width, 3] → each layer's output, float32, by layer. */
  observe(pixels: Uint8Array): Promise<Map<string, Float32Array>>;
  close(): Promise<void>;
}

/** Compiles a bundle's encoder with its layers' outputs and loads it into ONNX Runtime. Caller closes. */
export async function createProbes(
  bundle: EncoderBundle,
  { threads, divisors }: { threads: number; divisors?: Divisors | undefined },
): Promise<Probes> {
  const { preprocessing, encoder } = bundle.manifest;
  const { width, height } = preprocessing;
  const { bytes, layers } = withFileName(join(bundle.folder, encoder.topology), () =>
    compileProbes(bundle.readEncoder(), { preprocessing, featureSize: encoder.featureSize, divisors }),
  );
  const session = await createSession(bytes, { threads });
  return {
    layers,
    async observe(pixels) {
      const made = await session.run({ pixels: new Tensor("uint8", pixels, [1, height, width, 3]) });
      return new Map(layers.map(({ name }) => [name, floatsOf(made[name])]));
    },
    close: () => session.release(),
  };
}
