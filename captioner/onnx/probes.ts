import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import type { Divisors } from "../../shared/ranges.ts";
import { type EncoderBundle, naming } from "../bundle.ts";
import { compileProbes } from "./encoder.ts";
import type { ProbedLayer } from "./quantize/activation-precision.ts";
import { createSession, floatsOf } from "./session.ts";

/** An encoder in float32 whose layers can be looked at, as they stand divided. */
export interface Probes {
  /** Those whose range the encoder in eight bits needs. */
  layers: readonly ProbedLayer[];
  /** One photo, uint8 [1, height, width, 3] → what each layer makes of it, float32, by layer. */
  lookAt(pixels: Uint8Array): Promise<Map<string, Float32Array>>;
  close(): Promise<void>;
}

/** Compiles a bundle's encoder for looking at its layers, and loads it into ONNX Runtime. Caller closes. */
export async function createProbes(
  bundle: EncoderBundle,
  { threads, divisors }: { threads: number; divisors?: Divisors | undefined },
): Promise<Probes> {
  const { preprocessing, encoder } = bundle.manifest;
  const { width, height } = preprocessing;
  const { bytes, layers } = naming(join(bundle.folder, encoder.topology), () =>
    compileProbes(bundle.readEncoder(), { preprocessing, featureSize: encoder.featureSize, divisors }),
  );
  const session = await createSession(bytes, { threads });
  return {
    layers,
    async lookAt(pixels) {
      const made = await session.run({ pixels: new Tensor("uint8", pixels, [1, height, width, 3]) });
      return new Map(layers.map(({ name }) => [name, floatsOf(made[name])]));
    },
    close: () => session.release(),
  };
}
