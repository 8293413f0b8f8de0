import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { type EncoderBundle, naming } from "../bundle.ts";
import type { EncoderEngine, OnnxDevice, Precision } from "../engine.ts";
import { compileEncoder, compileInt8Encoder } from "./encoder.ts";
import { createGpuSession, createSession, floatsOf } from "./session.ts";

export type EncoderSession = Pick<EncoderEngine, "precision" | "encode" | "close">;

/** Compiles a bundle's encoder and loads it into ONNX Runtime. Throws where int8 is asked for and it has no ranges. */
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
    return naming(join(folder, topology), () => compileEncoder(bundle.readEncoder(), spec));
  }
  const known = bundle.readRanges();
  if (known === undefined) {
    throw new Error(`${folder}: expected a bundle with its layers' ranges for int8, found none: use float32 or auto`);
  }
  return naming(join(folder, path), () => compileInt8Encoder(bundle.readEncoder(), { ...spec, ...known }));
}
