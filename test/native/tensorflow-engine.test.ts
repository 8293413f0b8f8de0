import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { describe, expect, onTestFinished, test } from "vitest";
import { searchCaptions } from "../../captioner/beam-search.ts";
import { type Bundle, defaultModelDir, openBundle } from "../../captioner/bundle.ts";
import type { Engine } from "../../captioner/engine.ts";
import { EnginePool } from "../../captioner/engines/engine-pool.ts";
import { startEngineProcess } from "../../captioner/engines/engine-process.ts";
import { readNativeSetup } from "../../captioner/engines/native-setup.ts";
import { decodeImage } from "../../captioner/images/decode-image.ts";
import { createOnnxEngine } from "../../captioner/onnx/engine.ts";
import { loadTensorFlow } from "../../captioner/tensorflow/binding.ts";
import { createTensorFlowEngine } from "../../captioner/tensorflow/engine.ts";
import { cosine, rowsOf } from "../../captioner/vectors.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { copyGuidedBundle } from "../fixtures/guided-bundle.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { photoNames, photoPath } from "../fixtures/real-photos.ts";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";
import { childrenOf } from "../support/process-table.ts";

const batch = 8;

/** Features of decoded photos, and their captions by beam. */
async function runEngine(engine: Engine, { bundle, photos }: { bundle: Bundle; photos: readonly Uint8Array[] }) {
  const { specialIds, search } = bundle.manifest;
  const settings = { ...search, startId: specialIds.start, endId: specialIds.end };
  const rows: Float32Array[] = [];
  const captions: string[] = [];
  for (let first = 0; first < photos.length; first += batch) {
    const some = photos.slice(first, first + batch);
    const features = await engine.encode(Buffer.concat(some), some.length);
    rows.push(...rowsOf(features, some.length));
    for (const beam of [1, 3, 10]) {
      const options = some.map(() => ({ beam, candidates: 1 }));
      const found = await searchCaptions(engine, { features, options }, settings);
      captions.push(...found.flat().map(({ words }) => `beam ${beam}: ${bundle.vocabulary.decode(words)}`));
    }
  }
  await engine.close();
  return { rows, captions };
}

async function expectSame(bundle: Bundle, files: readonly Uint8Array[]): Promise<void> {
  const photos = await decodeAll(files, bundle);
  const expected = await runEngine(await createOnnxEngine(bundle), { bundle, photos });
  const found = await runEngine(createTensorFlowEngine(bundle, loadTensorFlow()), { bundle, photos });
  for (const [index, vector] of found.rows.entries()) {
    expect(cosine(vector, expected.rows[index] ?? new Float32Array())).toBeGreaterThan(0.9999);
  }
  expect(found.captions).toEqual(expected.captions);
}

async function decodeAll(files: readonly Uint8Array[], { manifest }: Bundle): Promise<Uint8Array[]> {
  const settings = { preprocessing: manifest.preprocessing, maxPixels: 1e8 };
  return Promise.all(files.map(async (bytes) => (await decodeImage(bytes, settings)).pixels));
}

describe.skipIf(readNativeSetup() === undefined)("the tensorflow engine (needs the native engine)", () => {
  test("gives the features and captions of the onnx engine on made and real photos", async () => {
    const real = await Promise.all(photoNames.map((name) => readFile(photoPath(name))));
    await expectSame(await openBundle(defaultModelDir), [...(await madePhotos(12)), ...real]);
  });

  test("gives them on the tiny bundle, too", async () => {
    await expectSame(await openBundle(tinyBundle), await madePhotos(64));
  });

  test("gives them with word detectors, too", async () => {
    await expectSame(await openBundle(await copyGuidedBundle()), await madePhotos(64));
  });

  test.skipIf(!isResearchDataThere)("gives them on 40 full-size photos (needs ../shared)", async () => {
    const names = await readdir(`${researchData}photos`);
    const files = await Promise.all(names.map((name) => readFile(`${researchData}photos/${name}`)));
    await expectSame(await openBundle(defaultModelDir), files);
  });

  test("runs in the engine's process when asked for, and says so", async () => {
    const engine = await startEngineProcess(tinyBundle, "tensorflow");
    onTestFinished(() => engine.close());
    expect(engine.identity).toMatchObject({ name: "tensorflow", reason: "asked for", isFallback: false });
    expect(await engine.encode(new Uint8Array(299 * 299 * 3), 1)).toHaveLength(2048);
  });

  test("is shown one GPU a process, and its share of the cores", async () => {
    const others = childrenOf(process.pid);
    const pool = await EnginePool.start({
      ...{ folder: tinyBundle, choice: "tensorflow", precision: "float32", engines: 2, gpus: ["GPU-a", "GPU-b"] },
      ...{ silenceLimitMs: 60_000, startLimitMs: 60_000, memoryLimitBytes: 2 ** 40, onFree() {}, events: {} },
    });
    onTestFinished(() => pool.close());
    const children = childrenOf(process.pid).filter((pid) => !others.includes(pid));
    const environments = children.map((pid) => readFileSync(`/proc/${pid}/environ`, "utf8").split("\0"));
    const threads = Math.max(1, Math.floor(availableParallelism() / 2));
    for (const [index, gpu] of ["GPU-a", "GPU-b"].entries()) {
      expect(environments[index]).toContain(`CUDA_VISIBLE_DEVICES=${gpu}`);
      expect(environments[index]).toContain(`TF_NUM_INTRAOP_THREADS=${threads}`);
    }
  });

  test.skipIf(existsSync("/dev/nvidia0"))(
    "gives way to the onnx engine where there is no GPU (needs no GPU)",
    async () => {
      const engine = await startEngineProcess(tinyBundle, "auto");
      onTestFinished(() => engine.close());
      expect(engine.identity).toMatchObject({ name: "onnx", reason: expect.stringMatching(/GPU/) });
    },
  );

  test("leaks no tensor over 1000 batches, and keeps none when closed", async () => {
    const tf = loadTensorFlow();
    const before = tf.memory().numTensors;
    const bundle = await openBundle(tinyBundle);
    const engine = createTensorFlowEngine(bundle, tf);
    onTestFinished(() => engine.close());
    const { specialIds, search } = bundle.manifest;
    const settings = { ...search, startId: specialIds.start, endId: specialIds.end };
    const [pixels = new Uint8Array()] = await decodeAll(await madePhotos(1), bundle);
    const runBatch = async () => {
      const features = await engine.encode(pixels, 1);
      await searchCaptions(engine, { features, options: [{ beam: 3, candidates: 1 }] }, settings);
    };
    await runBatch();
    const warm = tf.memory().numTensors;
    for (let count = 0; count < 1000; count++) await runBatch();
    expect(tf.memory().numTensors).toBe(warm);
    await engine.close();
    expect(tf.memory().numTensors).toBe(before);
  });

  test("frees what it holds when a batch fails", async () => {
    const tf = loadTensorFlow();
    const engine = createTensorFlowEngine(await openBundle(tinyBundle), tf);
    onTestFinished(() => engine.close());
    await engine.encode(new Uint8Array(299 * 299 * 3), 1);
    const warm = tf.memory().numTensors;
    await expect(engine.encode(new Uint8Array(7), 1)).rejects.toThrow();
    expect(tf.memory().numTensors).toBe(warm);
  });
});
