import type { EncoderBundle } from "../bundle.ts";
import type { EncoderEngine } from "../engine.ts";
import { cosine } from "../vectors.ts";

/** Of a photo's features there and on the CPU; graphics processors round in another order, and some to fewer digits. */
const leastCosine = 0.999;
/** Drivers for graphics that compute on the CPU (llvmpipe, SwiftShader) take hundreds of times as long as the CPU itself. */
const mostTimes = 10;

/**
 * Runs one made photo on the device and on the CPU. Throws a sentence where the device gives other features, or takes so much longer
 * that no processor of its own can be behind it.
 */
export async function proveDevice(
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
    throw new Error(`device ${device.device}: expected a GPU, found one that is made of software (${times})`);
  }
}

/** Of the second run: the first pays for kernels and buffers. */
async function timeEncode(
  engine: EncoderEngine,
  pixels: Uint8Array,
): Promise<{ features: Float32Array; milliseconds: number }> {
  await engine.encode(pixels, 1);
  const begunMs = performance.now();
  const features = await engine.encode(pixels, 1);
  return { features, milliseconds: performance.now() - begunMs };
}
