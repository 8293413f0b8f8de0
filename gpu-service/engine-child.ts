import { argv, exit } from "node:process";
import type { CaptionOptions } from "../shared/contract.ts";
import { type FoundCaption, searchCaptions } from "./beam-search.ts";
import { type Bundle, describeMissingDecoder, type EncoderBundle, hasDecoder, openEncoder } from "./bundle.ts";
import { type ChosenEngine, chooseEngine } from "./choose-engine.ts";
import { type EngineChoice, engineChoices } from "./engine.ts";
import type { EngineMessage, EngineRequest } from "./engine-protocol.ts";

/** Entry of the engine's process, `<bundle> <engine>`: loads both, says `ready`, then answers call by call. */
const [folder = "", wanted] = argv.slice(2);

// The service ends its engine. Ctrl-C reaches the whole process group, and what was admitted must still be finished.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("disconnect", () => exit(0));

try {
  const bundle = await openEncoder(folder);
  const { engine, reason } = await chooseEngine(readChoice(wanted), bundle);
  const networks = networksOf(engine, bundle);
  await warmUp(networks, bundle);
  answerCalls(networks);
  say({ kind: "ready", name: engine.name, device: engine.device, reason, revision: bundle.revision });
} catch (error) {
  say({ kind: "failed", reason: reasonOf(error) });
}

function readChoice(name: string | undefined): EngineChoice {
  const choice = engineChoices.find((known) => known === name);
  if (choice === undefined) throw new Error(`expected an engine, ${engineChoices.join(", ")}, received ${name}`);
  return choice;
}

interface Networks {
  encode(pixels: Uint8Array, photos: number): Promise<Float32Array>;
  /** Undefined for an encoder alone, which is all that training's features need. */
  search?(features: Float32Array, options: readonly CaptionOptions[]): Promise<FoundCaption[][]>;
}

function networksOf(engine: ChosenEngine["engine"], bundle: EncoderBundle | Bundle): Networks {
  const encode: Networks["encode"] = (pixels, photos) => engine.encode(pixels, photos);
  if (!("begin" in engine) || !hasDecoder(bundle)) return { encode };
  const { search, specialIds } = bundle.manifest;
  const settings = { ...search, startId: specialIds.start, endId: specialIds.end };
  return { encode, search: (features, options) => searchCaptions(engine, { features, options }, settings) };
}

/** Runs one grey photo through, so that the first caller does not pay for buffers and kernels. */
async function warmUp({ encode, search }: Networks, { folder, manifest }: EncoderBundle): Promise<void> {
  const { width, height } = manifest.preprocessing;
  const features = await encode(new Uint8Array(width * height * 3).fill(128), 1);
  const captions = (await search?.(features, [{ beam: 3, candidates: 3 }])) ?? [];
  const numbers = [...features, ...captions.flat().map(({ logProb }) => logProb)];
  if (!numbers.every(Number.isFinite)) throw new Error(`${folder}: its networks give numbers that are not finite`);
}

function answerCalls(networks: Networks): void {
  let previous = Promise.resolve();
  process.on("message", (request: EngineRequest) => {
    previous = previous.then(async () => {
      try {
        say(await answer(networks, request));
      } catch (error) {
        say({ kind: "error", call: request.call, reason: reasonOf(error) });
      }
    });
  });
}

async function answer({ encode, search }: Networks, request: EngineRequest): Promise<EngineMessage> {
  const { call } = request;
  if (request.kind === "encode") {
    return { kind: "features", call, features: await encode(request.pixels, request.photos) };
  }
  if (search === undefined) throw new Error(describeMissingDecoder(folder));
  const { options } = request;
  const features = request.kind === "search" ? request.features : await encode(request.pixels, options.length);
  return { kind: "captions", call, captions: await search(features, options) };
}

function say(message: EngineMessage): void {
  process.send?.(message);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
