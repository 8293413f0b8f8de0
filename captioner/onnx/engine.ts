import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Bundle, type EncoderBundle, withFileName } from "../bundle.ts";
import type { EncoderEngine, Engine, OnnxSettings } from "../engine.ts";
import { cosine } from "../vectors.ts";
import { compileDecoder } from "./decoder.ts";
import { createOnnxDecoder } from "./decoder-session.ts";
import { createEncoderSession, openEncoderSession } from "./encoder-session.ts";

/** The least cosine between a photo's features on the device and on the CPU: GPUs round differently, and some to fewer digits. */
const leastCosine = 0.999;
/** Times of the CPU's time that a GPU may take: software drivers (llvmpipe, SwiftShader) take hundreds. */
const mostTimes = 10;

/** Compiles a bundle's networks to ONNX and loads them into ONNX Runtime, the encoder on a device, the decoder on the CPU. */
export async function createOnnxEngine(bundle: Bundle, settings: OnnxSettings = {}): Promise<Engine> {
  const { featureSize } = bundle.manifest.encoder;
  const { padding, start } = bundle.manifest.specialIds;
  const encoder = await createOnnxEncoder(bundle, settings);
  const decoderSpec = {
    ...{ featureSize, vocabularySize: bundle.vocabulary.size, suppressedIds: [padding, start] },
    evidence: bundle.readEvidence(),
  };
  const compiled = withFileName(join(bundle.folder, bundle.manifest.decoder.topology), () =>
    compileDecoder(bundle.readDecoder(), decoderSpec),
  );
  const decoder = await createOnnxDecoder(compiled, decoderSpec);

  return {
    ...encoder,
    begin: (features, photos) => decoder.begin(features, photos),
    step: (state, rows) => decoder.step(state, rows),
    async close() {
      await Promise.all([encoder.close(), decoder.close()]);
    },
  };
}

/** The same for an encoder alone. A GPU is verified before the engine is returned. */
export async function createOnnxEncoder(bundle: EncoderBundle, settings: OnnxSettings = {}): Promise<EncoderEngine> {
  const encoder = await loadEncoder(bundle, settings);
  if (encoder.device === "cpu") return encoder;
  const reference = await loadEncoder(bundle, { ...settings, device: "cpu", precision: "float32" });
  try {
    await verifyDevice(bundle, { device: encoder, cpu: reference });
  } finally {
    await reference.close();
  }
  return encoder;
}

/** The same without verification of the GPU. */
export async function loadEncoder(
  bundle: EncoderBundle,
  { threads = availableParallelism(), precision = "float32", device = "cpu" }: OnnxSettings,
): Promise<EncoderEngine> {
  if (device === "cpu") return { name: "onnx", device, ...(await openEncoderSession(bundle, { threads, precision })) };
  if (precision === "int8") throw new Error(`device ${device}: expected float32 or auto beside it, received int8`);
  return { name: "onnx", device, ...(await createEncoderSession(bundle, { threads, precision: "float32", device })) };
}

/**
 * Runs one synthetic photo on the device and on the CPU. Throws if the device's features differ, or if it is so much
 * slower that it must be software.
 */
async function verifyDevice(
  { manifest: { preprocessing } }: EncoderBundle,
  { device, cpu }: { device: EncoderEngine; cpu: EncoderEngine },
): Promise<void> {
  const pixels = Uint8Array.from(
    { length: preprocessing.width * preprocessing.height * 3 },
    (_, i) => (i * 7919) % 251,
  );
  const there = await timeEncode(device, pixels);
  const here = await timeEncode(cpu, pixels);
  const found = cosine(there.features, here.features);
  if (!(found >= leastCosine)) {
    const stated = `expected features with a cosine of ${leastCosine} or more to those of the CPU, found ${found}`;
    throw new Error(`device ${device.device}: ${stated}`);
  }
  if (there.milliseconds > mostTimes * here.milliseconds) {
    const times = `${there.milliseconds.toFixed(0)} ms a photo where the CPU takes ${here.milliseconds.toFixed(0)} ms`;
    throw new Error(`device ${device.device}: expected a GPU, found one emulated in software (${times})`);
  }
}

/** Features and time of the second run: the first also creates kernels and buffers. */
async function timeEncode(
  engine: EncoderEngine,
  pixels: Uint8Array,
): Promise<{ features: Float32Array; milliseconds: number }> {
  await engine.encode(pixels, 1);
  const begunMs = performance.now();
  const features = await engine.encode(pixels, 1);
  return { features, milliseconds: performance.now() - begunMs };
}
