import { defaultModelDir, openBundle } from "../captioner/bundle.ts";
import { type EngineProcess, startEngineProcess } from "../captioner/engines/engine-process.ts";
import { defaultCaptionOptions } from "../shared/caption-options.ts";
import { decodedMadePhotos, timeInTurns } from "./bench.ts";

const rounds = 3;

const contenders = [
  { choice: "tensorflow", device: "cpu" }, // it takes the GPU that it finds
  { choice: "onnx", device: "cuda" },
  { choice: "onnx", device: "webgpu" },
] as const;

/** Prints photos per second of each engine on this machine's GPU at each batch size, against the onnx engine on its CPU. */
export async function benchGpu(batches: readonly number[]): Promise<void> {
  const photos = await decodedMadePhotos(await openBundle(defaultModelDir), Math.max(...batches));
  const peer = await startEngineProcess(defaultModelDir, "onnx");
  for (const contender of contenders) {
    const name = contender.choice === "onnx" ? `onnx-${contender.device}` : contender.choice;
    const engine = await startOrSay(name, contender);
    if (engine === undefined) continue;
    for (const batch of batches) console.log(await measure({ name, engine, peer, photos: photos.slice(0, batch) }));
    await engine.close();
  }
  await peer.close();
}

/** Undefined if the engine cannot start here, or runs on the CPU. */
async function startOrSay(
  name: string,
  { choice, device }: (typeof contenders)[number],
): Promise<EngineProcess | undefined> {
  try {
    const engine = await startEngineProcess(defaultModelDir, choice, { device });
    if (engine.identity.device !== "cpu") return engine;
    await engine.close();
    console.log(`gpu-captions-${name}: passed over, it found no GPU`);
  } catch (error) {
    console.log(`gpu-captions-${name}: passed over, ${error instanceof Error ? error.message : error}`);
  }
  return undefined;
}

interface Sides {
  name: string;
  engine: EngineProcess;
  peer: EngineProcess;
  /** One batch, decoded. */
  photos: readonly Uint8Array[];
}

/** Captions the batch on both, the way to the engines' processes counted; a line as the other benches print. */
async function measure({ name, engine, peer, photos }: Sides): Promise<string> {
  const pixels = Buffer.concat(photos);
  const options = photos.map(() => defaultCaptionOptions);
  const { oursMs, peerMs } = await timeInTurns(rounds, {
    ours: () => engine.caption(pixels, options),
    peer: () => peer.caption(pixels, options),
  });
  const speed = (ms: number) => `${((photos.length / ms) * 1000).toFixed(1)} photos a second`;
  const { device } = engine.identity;
  const times = (peerMs / oursMs).toFixed(2);
  return `gpu-captions-${name}-${photos.length}: ${times} (ours ${speed(oursMs)} on ${device}, peer ${speed(peerMs)} on the CPU)`;
}
