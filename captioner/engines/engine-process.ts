import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CaptionOptions } from "../../shared/contract.ts";
import type { FoundCaption } from "../beam-search.ts";
import { loaderArguments, programEnding } from "../child-program.ts";
import type { CpuSettings, EngineChoice, OnnxDevice } from "../engine.ts";
import type {
  BatchCaptions,
  EngineAnswer,
  EngineCall,
  EngineIdentity,
  EngineMessage,
  EngineRequest,
  EngineStart,
} from "./engine-protocol.ts";
import { libraryEnvironment, readNativeSetup } from "./native-setup.ts";
import { SilenceWatch } from "./silence-watch.ts";

interface PendingCall {
  /** Not a ping, which takes no time: what stands behind one has begun when the engine is lost. */
  isWork: boolean;
  resolve(answer: EngineAnswer): void;
  reject(error: Error): void;
}

interface EngineProcessSettings {
  cpu?: CpuSettings;
  /** What ONNX Runtime runs the encoder on; the CPU where it is left out. */
  device?: OnnxDevice;
  /** Which GPU it sees, as `CUDA_VISIBLE_DEVICES` names it; undefined: all. */
  gpu?: string | undefined;
  /** An engine that owes an answer and is silent for this long is killed; undefined: never. */
  silenceLimitMs?: number;
  /** An engine that is not warm by then is killed; undefined: never. */
  startLimitMs?: number;
  /** Aborts the start. */
  signal?: AbortSignal;
}

/** Why an engine is gone: by itself, killed because it was silent, or asked to leave because it had grown. */
export type LossReason = "died" | "hung" | "grown";

/** There is no answer, since the engine is gone. */
export class EngineLost extends Error {
  override readonly name = "EngineLost";
  readonly reason: LossReason;
  /** Whether the engine had begun with what was asked of it: calls behind the first work were not looked at. */
  readonly wasBegun: boolean;

  constructor(message: string, { reason = "died", wasBegun = true }: { reason?: LossReason; wasBegun?: boolean } = {}) {
    super(message);
    this.reason = reason;
    this.wasBegun = wasBegun;
  }
}

/**
 * Starts an engine on the bundle in `folder`, in a process of its own; resolves when it is warm. Throws what the engine
 * says is wrong, or `EngineLost` where it ended without a word.
 */
export async function startEngineProcess(
  folder: string,
  choice: EngineChoice,
  settings: EngineProcessSettings = {},
): Promise<EngineProcess> {
  const { cpu = {}, device = "cpu", signal, startLimitMs } = settings;
  const start: EngineStart = { folder, choice, cpu, device };
  const child = fork(
    fileURLToPath(new URL(`./engine-child${programEnding}`, import.meta.url)),
    [JSON.stringify(start)],
    {
      env: environmentOf(choice, settings),
      execArgv: loaderArguments(),
      serialization: "advanced",
    },
  );
  const kill = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  const impatience = startLimitMs === undefined ? undefined : setTimeout(kill, startLimitMs);
  try {
    const message = await firstMessage(child);
    if (message.kind === "ready") return new EngineProcess(child, message, settings);
    kill();
    throw new Error(message.kind === "failed" ? message.reason : `the engine began with ${message.kind}`);
  } finally {
    clearTimeout(impatience);
    signal?.removeEventListener("abort", kill);
  }
}

/** Throws `EngineLost` where the child ends, or never comes to be, before it has said something. */
function firstMessage(child: ChildProcess): Promise<EngineMessage> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("error", ({ message }) => reject(new EngineLost(`the engine cannot be started: ${message}`)));
    child.once("exit", (code, by) => reject(new EngineLost(`the engine ended with ${by ?? code} while it started`)));
  });
}

/** TensorFlow and ONNX Runtime find their CUDA libraries through the environment that their process begins with, and see the GPUs they are shown. */
function environmentOf(choice: EngineChoice, { gpu, cpu, device }: EngineProcessSettings): NodeJS.ProcessEnv {
  const setup = choice === "onnx" && device !== "cuda" ? undefined : readNativeSetup();
  if (setup === undefined && gpu === undefined) return process.env;
  return {
    ...(setup === undefined ? process.env : libraryEnvironment(setup)),
    ...(gpu === undefined ? {} : { CUDA_VISIBLE_DEVICES: gpu }),
    ...(cpu?.threads === undefined ? {} : { TF_NUM_INTRAOP_THREADS: String(cpu.threads) }),
  };
}

/** A warm engine in its child process. Calls are answered in order; when the child is lost, those it held fail once each. */
export class EngineProcess {
  readonly identity: EngineIdentity;
  /** Resolves when the child is gone though nobody closed it. */
  readonly lost: Promise<EngineLost>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #pending = new Map<number, PendingCall>();
  readonly #watch: SilenceWatch | undefined;
  #calls = 0;
  #memoryBytes = 0;
  /** Set where we ended it. */
  #ending: EngineLost | "closed" | undefined;

  constructor(
    child: ChildProcess,
    { kind, ...identity }: Extract<EngineMessage, { kind: "ready" }>,
    { silenceLimitMs }: EngineProcessSettings,
  ) {
    this.identity = identity;
    this.#child = child;
    child.on("message", (message: EngineMessage) => this.#settle(message));
    this.#exited = new Promise((resolve) => child.once("exit", resolve));
    this.lost = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#watch?.stop();
        const isClosed = this.#ending === "closed";
        const ended = new EngineLost(`the engine ended with ${signal ?? code}`);
        const error = this.#ending instanceof EngineLost ? this.#ending : ended;
        const { message, reason } = error;
        const calls = [...this.#pending.values()];
        const begun = calls.find(({ isWork }) => isWork);
        for (const call of calls) {
          call.reject(call === begun ? error : new EngineLost(message, { reason, wasBegun: false }));
        }
        this.#pending.clear();
        if (!isClosed) resolve(error);
      });
    });
    child.on("error", () => child.kill("SIGKILL")); // its channel broke: nothing can reach it any more
    if (silenceLimitMs !== undefined) this.#watch = this.#watchSilence(silenceLimitMs);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** False once it has ended or been told to. */
  get isAlive(): boolean {
    return this.#ending === undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resident memory of the child, as it said with its last answer. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** `pixels` uint8 [photos, height, width, 3], an entry of `options` a photo → each photo's captions, best first. */
  async caption(pixels: Uint8Array, options: readonly CaptionOptions[]): Promise<BatchCaptions> {
    return captionsOf(await this.#call({ kind: "caption", pixels, options }));
  }

  /** `features` float32 [photos, featureSize], as `encode` gave them, → each photo's captions, best first. */
  async search(features: Float32Array, options: readonly CaptionOptions[]): Promise<FoundCaption[][]> {
    return captionsOf(await this.#call({ kind: "search", features, options })).captions;
  }

  /** `pixels` uint8 [photos, height, width, 3] → float32 [photos, featureSize]. */
  async encode(pixels: Uint8Array, photos: number): Promise<Float32Array> {
    const answer = await this.#call({ kind: "encode", pixels, photos });
    if (answer.kind !== "features") throw new Error(`expected features of the engine, received ${answer.kind}`);
    return answer.features;
  }

  async close(): Promise<void> {
    const wasAlive = this.isAlive;
    this.#ending = "closed";
    this.#watch?.stop();
    this.#child.kill("SIGKILL"); // it holds nothing that could be lost
    if (wasAlive) await this.#exited;
  }

  /** Ends it as one that is lost. */
  abandon(reason: LossReason, why: string): void {
    if (!this.isAlive) return;
    this.#ending = new EngineLost(`the engine ${why}`, { reason });
    this.#child.kill("SIGKILL");
  }

  #watchSilence(limitMs: number): SilenceWatch {
    return new SilenceWatch({
      limitMs,
      ask: () => {
        if (this.#pending.size === 0) this.#call({ kind: "ping" }).catch(() => {}); // whoever is gone says so by `lost`
      },
      onSilence: () => this.abandon("hung", `did not answer for ${limitMs} ms`),
    });
  }

  #call(call: EngineCall): Promise<EngineAnswer> {
    const number = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { isWork: call.kind !== "ping", resolve, reject });
      this.#child.send({ call: number, ...call } satisfies EngineRequest, (error) => {
        if (error !== null)
          this.#take(number)?.reject(new EngineLost("the engine cannot be reached", { wasBegun: false }));
      });
    });
  }

  #settle(message: EngineMessage): void {
    if (!("call" in message)) return;
    this.#watch?.heard();
    this.#memoryBytes = message.memoryBytes;
    const call = this.#take(message.call);
    if (message.kind === "error") call?.reject(new Error(message.reason));
    else call?.resolve(message);
  }

  #take(number: number): PendingCall | undefined {
    const call = this.#pending.get(number);
    this.#pending.delete(number);
    return call;
  }
}

function captionsOf(answer: EngineAnswer): BatchCaptions {
  if (answer.kind === "captions") return answer;
  throw new Error(`expected captions of the engine, received ${answer.kind}`);
}
