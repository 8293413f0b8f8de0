import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Bundle, type EncoderBundle, naming } from "../bundle.ts";
import type { EncoderEngine, Engine, OnnxSettings } from "../engine.ts";
import { openEncoderSession } from "./choose-precision.ts";
import { compileDecoder } from "./decoder.ts";
import { createOnnxDecoder } from "./decoder-session.ts";
import { createEncoderSession } from "./encoder-session.ts";
import { proveDevice } from "./prove-device.ts";

/** Compiles a bundle's networks to ONNX and loads them into ONNX Runtime, the encoder on a device, the decoder on the CPU. */
export async function createOnnxEngine(bundle: Bundle, settings: OnnxSettings = {}): Promise<Engine> {
  const { featureSize } = bundle.manifest.encoder;
  const { padding, start } = bundle.manifest.specialIds;
  const encoder = await createOnnxEncoder(bundle, settings);
  const decoderSpec = { featureSize, vocabularySize: bundle.vocabulary.size, neverNext: [padding, start] };
  const compiled = naming(join(bundle.folder, bundle.manifest.decoder.topology), () =>
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

/** The same for an encoder alone. On a GPU it is proven to be one before it is handed out. */
export async function createOnnxEncoder(bundle: EncoderBundle, settings: OnnxSettings = {}): Promise<EncoderEngine> {
  const encoder = await loadEncoder(bundle, settings);
  if (encoder.device === "cpu") return encoder;
  const reference = await loadEncoder(bundle, { ...settings, device: "cpu", precision: "float32" });
  try {
    await proveDevice(bundle, { device: encoder, cpu: reference });
  } finally {
    await reference.close();
  }
  return encoder;
}

/** As it is: a device that is only called a GPU passes, too. */
export async function loadEncoder(
  bundle: EncoderBundle,
  { threads = availableParallelism(), precision = "float32", device = "cpu" }: OnnxSettings,
): Promise<EncoderEngine> {
  if (device === "cpu") return { name: "onnx", device, ...(await openEncoderSession(bundle, { threads, precision })) };
  if (precision === "int8") throw new Error(`device ${device}: expected float32 or auto beside it, received int8`);
  return { name: "onnx", device, ...(await createEncoderSession(bundle, { threads, precision: "float32", device })) };
}
