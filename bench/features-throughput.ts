import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultModelDir, sha256Of } from "../captioner/bundle.ts";
import { startEngineProcess } from "../captioner/engines/engine-process.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { encodePhotos, type PhotoToEncode } from "../training/features/encode-photos.ts";
import { type Bench, timeInTurns } from "./bench.ts";
import { benchInputs } from "./inputs.ts";

const count = 64;
const batch = 8;

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
