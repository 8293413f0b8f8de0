import { argv, exit } from "node:process";
import { type SearchSettings, searchCaptions } from "./beam-search.ts";
import { type Bundle, openBundle } from "./bundle.ts";
import { chooseEngine } from "./choose-engine.ts";
import { type Engine, type EngineChoice, engineChoices } from "./engine.ts";
import type { EngineMessage, EngineRequest } from "./engine-protocol.ts";

/** Entry of the engine's process, `<bundle> <engine>`: loads both, says `ready`, then answers call by call. */
const [folder = "", wanted] = argv.slice(2);

// The service ends its engine. Ctrl-C reaches the whole process group, and what was admitted must still be finished.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("disconnect", () => exit(0));

try {
  const bundle = await openBundle(folder);
  const { engine, reason } = await chooseEngine(readChoice(wanted), bundle);
  await warmUp(engine, bundle);
  answerCalls(engine, bundle);
  say({ kind: "ready", name: engine.name, device: engine.device, reason, revision: bundle.revision });
} catch (error) {
  say({ kind: "failed", reason: reasonOf(error) });
}

function readChoice(name: string | undefined): EngineChoice {
  const choice = engineChoices.find((known) => known === name);
  if (choice === undefined) throw new Error(`expected an engine, ${engineChoices.join(", ")}, received ${name}`);
  return choice;
}

/** Runs one grey photo through, so that the first caller does not pay for buffers and kernels. */
async function warmUp(engine: Engine, bundle: Bundle): Promise<void> {
  const { width, height } = bundle.manifest.preprocessing;
  const features = await engine.encode(new Uint8Array(width * height * 3).fill(128), 1);
  const options = [{ beam: 3, candidates: 3 }];
  const captions = await searchCaptions(engine, { features, options }, searchSettingsOf(bundle));
  const numbers = [...features, ...captions.flat().map(({ logProb }) => logProb)];
  if (!numbers.every(Number.isFinite)) {
    throw new Error(`${bundle.folder}: its networks give numbers that are not finite`);
  }
}

function answerCalls(engine: Engine, bundle: Bundle): void {
  const settings = searchSettingsOf(bundle);
  let previous = Promise.resolve();
  process.on("message", (request: EngineRequest) => {
    previous = previous.then(async () => {
      try {
        say(await answer(engine, { request, settings }));
      } catch (error) {
        say({ kind: "error", call: request.call, reason: reasonOf(error) });
      }
    });
  });
}

async function answer(
  engine: Engine,
  { request, settings }: { request: EngineRequest; settings: SearchSettings },
): Promise<EngineMessage> {
  const { call } = request;
  if (request.kind === "encode") {
    return { kind: "features", call, features: await engine.encode(request.pixels, request.photos) };
  }
  const { options } = request;
  const features = request.kind === "search" ? request.features : await engine.encode(request.pixels, options.length);
  return { kind: "captions", call, captions: await searchCaptions(engine, { features, options }, settings) };
}

function searchSettingsOf({ manifest }: Bundle): SearchSettings {
  return { ...manifest.search, startId: manifest.specialIds.start, endId: manifest.specialIds.end };
}

function say(message: EngineMessage): void {
  process.send?.(message);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
