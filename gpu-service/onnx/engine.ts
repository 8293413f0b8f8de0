import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { type Bundle, naming } from "../bundle.ts";
import type { Engine } from "../engine.ts";
import { compileDecoder } from "./decoder.ts";
import { createOnnxDecoder } from "./decoder-session.ts";
import { compileEncoder } from "./encoder.ts";
import { createSession, floatsOf } from "./session.ts";

/** Compiles a bundle's networks to ONNX and loads them into ONNX Runtime on the CPU. */
export async function createOnnxEngine(bundle: Bundle): Promise<Engine> {
  const { featureSize } = bundle.manifest.encoder;
  const { preprocessing } = bundle.manifest;
  const { padding, start } = bundle.manifest.specialIds;
  const { encoder: encoderFile, decoder: decoderFile } = bundle.manifest;
  const encoderGraph = naming(join(bundle.folder, encoderFile.topology), () =>
    compileEncoder(bundle.readEncoder(), { preprocessing, featureSize }),
  );
  const encoder = await createSession(encoderGraph, { threads: availableParallelism() });
  const decoderSpec = { featureSize, vocabularySize: bundle.vocabulary.size, neverNext: [padding, start] };
  const compiled = naming(join(bundle.folder, decoderFile.topology), () =>
    compileDecoder(bundle.readDecoder(), decoderSpec),
  );
  const decoder = await createOnnxDecoder(compiled, decoderSpec);
  const { width, height } = preprocessing;

  return {
    name: "onnx",
    device: "cpu",
    async encode(pixels, photos) {
      const { features } = await encoder.run({ pixels: new Tensor("uint8", pixels, [photos, height, width, 3]) });
      return floatsOf(features);
    },
    begin: (features, photos) => decoder.begin(features, photos),
    step: (state, rows) => decoder.step(state, rows),
    async close() {
      await Promise.all([encoder.release(), decoder.close()]);
    },
  };
}
