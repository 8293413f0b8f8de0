import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { CaptionOptions } from "../shared/contract.ts";
import type { FoundCaption } from "./beam-search.ts";
import type { EngineChoice } from "./engine.ts";
import type { EngineCall, EngineMessage, EngineRequest } from "./engine-protocol.ts";
import { libraryEnvironment, readNativeSetup } from "./native-setup.ts";

type MessageOf<Kind extends EngineMessage["kind"]> = Extract<EngineMessage, { kind: Kind }>;
type Answer = MessageOf<"captions" | "features">;

interface PendingCall {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** Starts an engine on the bundle in `folder`, in a process of its own; resolves when it is warm. */
export async function startEngineProcess(folder: string, choice: EngineChoice): Promise<EngineProcess> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = fork(fileURLToPath(new URL("./engine-child.ts", import.meta.url)), [folder, choice], {
    env: environmentOf(choice),
    execArgv: ["--import", tsx],
    serialization: "advanced",
  });
  const [message] = await Promise.race([
    once(child, "message") as Promise<[EngineMessage]>, // the child says nothing else on this channel
    once(child, "exit").then(([code, signal]) => [
      { kind: "failed", reason: `it ended with ${signal ?? code}` } as const,
    ]),
  ]);
  if (message.kind === "ready") return new EngineProcess(child, message);
  child.kill("SIGKILL");
  throw new Error(message.kind === "failed" ? message.reason : `the engine began with ${message.kind}`);
}

/** TensorFlow finds its CUDA libraries through the environment that its process begins with. */
function environmentOf(choice: EngineChoice): NodeJS.ProcessEnv {
  const setup = choice === "onnx" ? undefined : readNativeSetup();
  return setup === undefined ? process.env : libraryEnvironment(setup);
}

/** A warm engine in its child process. Calls are answered in order; when the child dies, those it held fail once each. */
export class EngineProcess {
  readonly name: string;
  readonly device: string;
  /** Why this engine. */
  readonly reason: string;
  readonly revision: string;
  /** Resolves when the child is gone though nobody closed it. */
  readonly died: Promise<Error>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #pending = new Map<number, PendingCall>();
  #calls = 0;
  #isClosed = false;

  constructor(child: ChildProcess, { name, device, reason, revision }: MessageOf<"ready">) {
    this.name = name;
    this.device = device;
    this.reason = reason;
    this.revision = revision;
    this.#child = child;
    child.on("message", (message: EngineMessage) => this.#settle(message));
    this.#exited = new Promise((resolve) => child.once("exit", resolve));
    this.died = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        const error = new Error(`the engine ended with ${signal ?? code}`);
        for (const call of this.#pending.values()) call.reject(error);
        this.#pending.clear();
        if (!this.#isClosed) resolve(error);
      });
    });
    child.on("error", () => child.kill("SIGKILL")); // its channel broke: nothing can reach it any more
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** `pixels` uint8 [photos, height, width, 3], an entry of `options` a photo → each photo's captions, best first. */
  async caption(pixels: Uint8Array, options: readonly CaptionOptions[]): Promise<FoundCaption[][]> {
    return captionsOf(await this.#call({ kind: "caption", pixels, options }));
  }

  /** `features` float32 [photos, featureSize], as `encode` gave them, → each photo's captions, best first. */
  async search(features: Float32Array, options: readonly CaptionOptions[]): Promise<FoundCaption[][]> {
    return captionsOf(await this.#call({ kind: "search", features, options }));
  }

  /** `pixels` uint8 [photos, height, width, 3] → float32 [photos, featureSize]. */
  async encode(pixels: Uint8Array, photos: number): Promise<Float32Array> {
    const answer = await this.#call({ kind: "encode", pixels, photos });
    if (answer.kind !== "features") throw new Error(`expected features of the engine, received ${answer.kind}`);
    return answer.features;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL"); // it holds nothing that could be lost
      await this.#exited;
    }
  }

  #call(call: EngineCall): Promise<Answer> {
    const number = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { resolve, reject });
      this.#child.send({ call: number, ...call } satisfies EngineRequest, (error) => {
        if (error !== null) this.#take(number)?.reject(error);
      });
    });
  }

  #settle(message: EngineMessage): void {
    if (message.kind === "captions" || message.kind === "features") this.#take(message.call)?.resolve(message);
    else if (message.kind === "error") this.#take(message.call)?.reject(new Error(message.reason));
  }

  #take(number: number): PendingCall | undefined {
    const call = this.#pending.get(number);
    this.#pending.delete(number);
    return call;
  }
}

function captionsOf(answer: Answer): FoundCaption[][] {
  if (answer.kind === "captions") return answer.captions;
  throw new Error(`expected captions of the engine, received ${answer.kind}`);
}
