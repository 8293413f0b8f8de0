import { constants, getPriority, setPriority } from "node:os";
import { argv, cpuUsage, exit, memoryUsage } from "node:process";
import type { SearchOptions } from "../../shared/caption-options.ts";
import { danglingWords } from "../../shared/content-words.ts";
import { type FoundCaption, type SearchSettings, searchCaptions } from "../beam-search.ts";
import { type Bundle, describeMissingDecoder, type EncoderBundle, hasDecoder, openEncoder } from "../bundle.ts";
import { endingSignals } from "../child-process.ts";
import { type ChosenEngine, chooseEngine } from "./choose-engine.ts";
import type { EngineAnswer, EngineCall, EngineMessage, EngineRequest, EngineStart } from "./engine-protocol.ts";

/** Niceness above the server's: it decodes photos and sends refusals while the model computes. Only root may lower it again. */
const lower = 5;

/** Entry of the engine's process, its argument an `EngineStart`: loads bundle and engine, sends `ready`, then answers call by call. */
const { folder, choice, cpu, device }: EngineStart = JSON.parse(argv[2] ?? ""); // written by engine-process.ts

// The service ends its engine: Ctrl-C reaches the whole process group, and admitted photos must still be captioned.
for (const signal of endingSignals) process.on(signal, () => {});
process.on("disconnect", () => exit(0));

try {
  // before there are threads, since each inherits its creator's priority
  setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + lower));
  const bundle = await openEncoder(folder);
  const { engine, ...chosen } = await chooseEngine(choice, bundle, { ...cpu, device });
  const networks = networksOf(engine, bundle);
  await warmUp(networks, bundle);
  answerCalls(networks);
  const { name, device: found, precision } = engine;
  send({ kind: "ready", name, device: found, precision, ...chosen, revision: bundle.revision });
} catch (error) {
  send({ kind: "failed", reason: reasonOf(error) });
}

interface Networks {
  encode(pixels: Uint8Array, photos: number): Promise<Float32Array>;
  /** Undefined for an encoder without a decoder, which suffices for training's features. */
  search?(features: Float32Array, options: readonly SearchOptions[]): Promise<FoundCaption[][]>;
}

function networksOf(engine: ChosenEngine["engine"], bundle: EncoderBundle | Bundle): Networks {
  const encode: Networks["encode"] = (pixels, photos) => engine.encode(pixels, photos);
  if (!("begin" in engine) || !hasDecoder(bundle)) return { encode };
  const { search, specialIds } = bundle.manifest;
  const settings: SearchSettings = {
    ...search,
    startId: specialIds.start,
    endId: specialIds.end,
    danglingIds: new Set(danglingWords.map((word) => bundle.vocabulary.idOf(word)).filter((id) => id !== undefined)),
  };
  return { encode, search: (features, options) => searchCaptions(engine, { features, options }, settings) };
}

/** Captions one grey photo, so that the first caller does not wait for buffers and kernels. */
async function warmUp({ encode, search }: Networks, { folder, manifest }: EncoderBundle): Promise<void> {
  const { width, height } = manifest.preprocessing;
  const features = await encode(new Uint8Array(width * height * 3).fill(128), 1);
  const captions = (await search?.(features, [{ beam: 3, candidates: 3 }])) ?? [];
  const numbers = [...features, ...captions.flat().map(({ logProb }) => logProb)];
  if (!numbers.every(Number.isFinite)) throw new Error(`${folder}: its networks give numbers that are not finite`);
}

function answerCalls(networks: Networks): void {
  let previous = Promise.resolve();
  let cpuSeconds = 0;
  process.on("message", ({ call, ...request }: EngineRequest) => {
    previous = previous.then(async () => {
      const begun = cpuUsage();
      const outcome = await answer(networks, request).catch((error): EngineAnswer => {
        return { kind: "error", reason: reasonOf(error) };
      });
      const { user, system } = cpuUsage(begun);
      cpuSeconds += (user + system) / 1e6;
      send({ call, memoryBytes: memoryUsage.rss(), cpuSeconds, ...outcome });
    });
  });
}

async function answer({ encode, search }: Networks, request: EngineCall): Promise<EngineAnswer> {
  if (request.kind === "ping") return { kind: "pong" };
  if (request.kind === "encode") return { kind: "features", features: await encode(request.pixels, request.photos) };
  if (search === undefined) throw new Error(describeMissingDecoder(folder));
  const { options } = request;
  const begunMs = performance.now();
  const features = request.kind === "search" ? request.features : await encode(request.pixels, options.length);
  const encodedMs = performance.now();
  const captions = await search(features, options);
  return { kind: "captions", captions, encodeMs: encodedMs - begunMs, searchMs: performance.now() - encodedMs };
}

function send(message: EngineMessage): void {
  process.send?.(message, undefined, undefined, () => {}); // the parent may be gone (Ctrl-C)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
