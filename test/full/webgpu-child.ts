import { openBundle } from "../../captioner/bundle.ts";
import { compileDecoder } from "../../captioner/onnx/decoder.ts";
import { loadEncoder } from "../../captioner/onnx/engine.ts";
import { createGpuSession } from "../../captioner/onnx/session.ts";
import { cosine, rowsOf } from "../../captioner/vectors.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { decodedPhotos } from "../fixtures/real-photos.ts";

/** Encodes photos through WebGPU and on the CPU, and asks for a decoder on WebGPU, which has not all its steps; prints what came of it. */
const bundle = await openBundle(tinyBundle);
const { preprocessing, encoder, specialIds } = bundle.manifest;
const photos = await decodedPhotos(preprocessing);
const [onGpu = [], onCpu = []] = await Promise.all(
  (["webgpu", "cpu"] as const).map(async (device) => {
    const engine = await loadEncoder(bundle, { device });
    return rowsOf(await engine.encode(Buffer.concat(photos), photos.length), photos.length);
  }),
);
const spec = {
  featureSize: encoder.featureSize,
  vocabularySize: bundle.vocabulary.size,
  suppressedIds: [specialIds.padding],
};
const { step } = compileDecoder(bundle.readDecoder(), spec);
const refusal = await createGpuSession(step, "webgpu").then(
  () => "none",
  (error: Error) => error.message,
);
const cosines = onCpu.map((row, index) => cosine(row, onGpu[index] ?? new Float32Array()));
process.stdout.write(JSON.stringify({ cosines, refusal }));
process.exit(); // the driver's threads would hold it for a while
