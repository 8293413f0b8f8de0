import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pMapIterable } from "p-map";
import { defaultModelDir, sha256Of } from "../captioner/bundle.ts";
import type { Precision } from "../captioner/engine.ts";
import { startEngineProcess } from "../captioner/engines/engine-process.ts";
import { decodeImage } from "../captioner/images/decode-image.ts";
import { startLocalModel } from "../cli/caption/backend.ts";
import { runPipeline } from "../cli/caption/pipeline.ts";
import { openJsonlFile } from "../cli/outputs/jsonl-file.ts";
import { StateFile } from "../cli/state/state-file.ts";
import { defaultCaptionOptions as options } from "../shared/caption-options.ts";
import { defaultMaxPixels } from "../shared/contract.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { encodePhotos, type PhotoToEncode } from "../training/features/encode-photos.ts";
import {
  type Bench,
  type BenchInputs,
  type BenchResult,
  bareCaptions,
  benchInputs,
  inEachPrecision,
  timeInTurns,
} from "./bench.ts";

const count = 64;
const batch = 8;

export const cliThroughput: Bench = {
  name: "cli-throughput",
  about:
    "bulk captioning of 64 JPEG files ÷ the bare loop with image decoding overlapped, photos a second; at least 0.9",
  run: () => inEachPrecision(measureCli),
};

async function measureCli(precision: Precision): Promise<BenchResult> {
  const inputs = await benchInputs(1, { precision });
  const files = await madePhotos(count);
  const folder = await mkdtemp(join(tmpdir(), "cli-throughput-"));
  const backend = await startLocalModel({ modelDir: defaultModelDir, engine: "onnx", device: "cpu", precision });
  const photos = files.map((_, index) => ({ path: `${index}.jpg` }));
  for (const [index, bytes] of files.entries()) await writeFile(join(folder, `${index}.jpg`), bytes);
  let round = 0;
  try {
    const { oursMs, peerMs } = await timeInTurns(3, {
      async ours() {
        const out = join(folder, `round-${round++}`); // what was captioned would be passed over
        await mkdir(out);
        const state = await StateFile.open(join(out, "state.jsonl"));
        const { signal } = new AbortController();
        const listings = [await openJsonlFile(join(out, "captions.jsonl"), { signal })];
        const run = { backend, state, options, form: {}, folder, signal, listings, writers: [], report: () => {} };
        const { captioned } = await runPipeline(photos, run);
        if (captioned !== count) throw new Error(`expected ${count} captions, received ${captioned}`);
        await state.close();
      },
      peer: () => captionBare(files, inputs),
    });
    return {
      number: peerMs / oursMs,
      ours: `${((1000 * count) / oursMs).toFixed(1)} photos a second`,
      peer: `${((1000 * count) / peerMs).toFixed(1)} photos a second`,
    };
  } finally {
    await Promise.all([backend.close(), inputs.engine.close(), rm(folder, { recursive: true })]);
  }
}

/** The engine alone in this process, batch by batch, while the next photos are decoded. */
async function captionBare(files: readonly Uint8Array[], inputs: BenchInputs): Promise<void> {
  const settings = { preprocessing: inputs.bundle.manifest.preprocessing, maxPixels: defaultMaxPixels };
  const decode = async (bytes: Uint8Array) => (await decodeImage(bytes, settings)).pixels;
  let waiting: Uint8Array[] = [];
  for await (const pixels of pMapIterable(files, decode, { concurrency: batch, backpressure: 2 * batch })) {
    waiting.push(pixels);
    if (waiting.length < batch) continue;
    await bareCaptions(inputs, waiting);
    waiting = [];
  }
}

export const featuresThroughput: Bench = {
  name: "features-throughput",
  about: "the bare engine's encode loop on decoded pixels ÷ feature extraction from 64 JPEG files; at least 0.9",
  async run() {
    const { bundle, engine: bare, photos } = await benchInputs(count);
    const { preprocessing } = bundle.manifest;
    const folder = await mkdtemp(join(tmpdir(), "features-throughput-"));
    const files = await writePhotos(folder);
    const engine = await startEngineProcess(defaultModelDir, "onnx");
    const leaveOut = ({ path }: PhotoToEncode, reason: string) => {
      throw new Error(`${path}: ${reason}`);
    };
    try {
      const { oursMs, peerMs } = await timeInTurns(3, {
        async ours() {
          for await (const _ of encodePhotos(files, { engine, preprocessing, leaveOut }));
        },
        async peer() {
          for (let first = 0; first < count; first += batch) {
            await bare.encode(Buffer.concat(photos.slice(first, first + batch)), batch);
          }
        },
      });
      return {
        number: peerMs / oursMs,
        ours: `${((1000 * count) / oursMs).toFixed(1)} photos a second`,
        peer: `${((1000 * count) / peerMs).toFixed(1)} photos a second`,
      };
    } finally {
      await Promise.all([engine.close(), bare.close(), rm(folder, { recursive: true })]);
    }
  },
};

async function writePhotos(folder: string): Promise<PhotoToEncode[]> {
  const files: PhotoToEncode[] = [];
  for (const [index, bytes] of (await madePhotos(count)).entries()) {
    const path = join(folder, `${index}.jpg`);
    await writeFile(path, bytes);
    files.push({ path, sha256: sha256Of(bytes), isMirrored: false });
  }
  return files;
}
