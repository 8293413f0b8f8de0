import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultModelDir, openBundle, sha256Of } from "../captioner/bundle.ts";
import { startCaptioner, usualCaptionerSettings } from "../captioner/captioner.ts";
import type { Precision } from "../captioner/engine.ts";
import { startEngineProcess } from "../captioner/engines/engine-process.ts";
import { toBackend } from "../cli/caption/backend.ts";
import { runPipeline } from "../cli/caption/pipeline.ts";
import { openJsonlFile } from "../cli/outputs/jsonl-file.ts";
import { StateFile } from "../cli/state/state-file.ts";
import { defaultCaptionOptions as options } from "../shared/caption-options.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { encodePhotos, type PhotoToEncode } from "../training/features/encode-photos.ts";
import { type Bench, type BenchResult, inEachPrecision } from "./bench.ts";
import { measureCoreShare } from "./core-share.ts";

const count = 64;
const rounds = 3;
/** Each file that often a round: with few, filling and emptying the pipeline would be measured, and not saturation. */
const turns = 4;

export const cliThroughput: Bench = {
  name: "cli-throughput",
  about:
    "share of the cores' time that goes into decoding and the engine in bulk captioning of 256 JPEG files; at least 0.95 in float32, 0.92 in int8",
  run: () => inEachPrecision(measureCli),
};

async function measureCli(precision: Precision): Promise<BenchResult> {
  const bundle = await openBundle(defaultModelDir);
  const files = await madePhotos(count);
  const folder = await mkdtemp(join(tmpdir(), "cli-throughput-"));
  const model = { modelDir: defaultModelDir, engine: "onnx", device: "cpu", precision } as const;
  const captioner = await startCaptioner({ ...usualCaptionerSettings, ...model });
  const backend = toBackend(captioner);
  const photos = Array.from({ length: turns * count }, (_, index) => ({ path: `${index}.jpg` }));
  let round = 0;
  const caption = async () => {
    const out = join(folder, `round-${round++}`); // what was captioned would be passed over
    await mkdir(out);
    const state = await StateFile.open(join(out, "state.jsonl"));
    const { signal } = new AbortController();
    const listings = [await openJsonlFile(join(out, "captions.jsonl"), { signal })];
    const run = { backend, state, options, form: {}, folder, signal, listings, writers: [], report: () => {} };
    const { captioned } = await runPipeline(photos, run);
    if (captioned !== photos.length) throw new Error(`expected ${photos.length} captions, received ${captioned}`);
    await state.close();
  };
  try {
    for (const [index, { path }] of photos.entries()) {
      const bytes = files[index % count] ?? new Uint8Array();
      await writeFile(join(folder, path), Buffer.concat([bytes, Buffer.from(path)])); // a copy would not be captioned again
    }
    return await measureCoreShare({
      rounds,
      pid: process.pid,
      work: caption,
      photos: photos.length,
      files,
      bundle,
      engineSeconds: () => captioner.state().engines.usage[0]?.cpuSeconds ?? Number.NaN,
    });
  } finally {
    await Promise.all([backend.close(), rm(folder, { recursive: true })]);
  }
}

export const featuresThroughput: Bench = {
  name: "features-throughput",
  about:
    "share of the cores' time that goes into decoding and the engine in feature extraction from 256 JPEG files; at least 0.95",
  async run() {
    const bundle = await openBundle(defaultModelDir);
    const { preprocessing } = bundle.manifest;
    const folder = await mkdtemp(join(tmpdir(), "features-throughput-"));
    const files = await madePhotos(count);
    const written = await writePhotos(files, folder);
    const photos = Array.from({ length: turns }, () => written).flat();
    const engine = await startEngineProcess(defaultModelDir, "onnx");
    const leaveOut = ({ path }: PhotoToEncode, reason: string) => {
      throw new Error(`${path}: ${reason}`);
    };
    try {
      return await measureCoreShare({
        rounds,
        pid: process.pid,
        async work() {
          for await (const _ of encodePhotos(photos, { engine, preprocessing, leaveOut }));
        },
        photos: photos.length,
        files,
        bundle,
        engineSeconds: () => engine.usage.cpuSeconds,
      });
    } finally {
      await Promise.all([engine.close(), rm(folder, { recursive: true })]);
    }
  },
};

async function writePhotos(photos: readonly Uint8Array[], folder: string): Promise<PhotoToEncode[]> {
  const files: PhotoToEncode[] = [];
  for (const [index, bytes] of photos.entries()) {
    const path = join(folder, `${index}.jpg`);
    await writeFile(path, bytes);
    files.push({ path, sha256: sha256Of(bytes), isMirrored: false });
  }
  return files;
}
