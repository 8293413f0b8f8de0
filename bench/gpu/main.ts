import { defaultModelDir, openBundle } from "../../captioner/bundle.ts";
import { type EngineProcess, startEngineProcess } from "../../captioner/engines/engine-process.ts";
import { decodedMadePhotos } from "../inputs.ts";
import { measure } from "./measure.ts";

/** `npm run bench:gpu [-- batch…]`: photos a second of each engine on this machine's GPU, against the onnx engine on its CPU. */
const asked = process.argv.slice(2);
if (asked.some((batch) => !/^[1-9]\d{0,2}$/.test(batch))) {
  console.error("usage: npm run bench:gpu [-- batch…]   (1 8 32 128 where none is given)");
  process.exit(2);
}
const batches = asked.length === 0 ? [1, 8, 32, 128] : asked.map(Number);
const contenders = [
  { choice: "tensorflow", device: "cpu" }, // it takes the GPU that it finds
  { choice: "onnx", device: "cuda" },
  { choice: "onnx", device: "webgpu" },
] as const;

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

/** Undefined where the engine cannot be had here, or runs on the CPU. */
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
