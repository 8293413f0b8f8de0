import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { type Bundle, type EncoderBundle, naming } from "../bundle.ts";
import type { CpuSettings, EncoderEngine, Engine } from "../engine.ts";
import { compileDecoder } from "./decoder.ts";
import { createOnnxDecoder } from "./decoder-session.ts";
import { compileEncoder } from "./encoder.ts";
import { createSession, floatsOf } from "./session.ts";

/** Compiles a bundle's networks to ONNX and loads them into ONNX Runtime on the CPU. */
export async function createOnnxEngine(bundle: Bundle, cpu: CpuSettings = {}): Promise<Engine> {
  const { featureSize } = bundle.manifest.encoder;
  const { padding, start } = bundle.manifest.specialIds;
  const encoder = await createOnnxEncoder(bundle, cpu);
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

/** The same for an encoder alone. */
export async function createOnnxEncoder(
  bundle: EncoderBundle,
  { threads = availableParallelism() }: CpuSettings = {},
): Promise<EncoderEngine> {
  const { preprocessing, encoder } = bundle.manifest;
  const { width, height } = preprocessing;
  const graph = naming(join(bundle.folder, encoder.topology), () =>
    compileEncoder(bundle.readEncoder(), { preprocessing, featureSize: encoder.featureSize }),
  );
  const session = await createSession(graph, { threads });

  return {
    name: "onnx",
    device: "cpu",
    async encode(pixels, photos) {
      const { features } = await session.run({ pixels: new Tensor("uint8", pixels, [photos, height, width, 3]) });
      return floatsOf(features);
    },
    close: () => session.release(),
  };
}
