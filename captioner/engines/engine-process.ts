import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SearchOptions } from "../../shared/caption-options.ts";
import type { FoundCaption } from "../beam-search.ts";
import { loaderArguments, programExtension } from "../child-process.ts";
import type { CpuSettings, EngineChoice, OnnxDevice } from "../engine.ts";
import type {
  BatchCaptions,
  EngineAnswer,
  EngineCall,
  EngineIdentity,
  EngineMessage,
  EngineRequest,
  EngineStart,
  EngineUsage,
} from "./engine-protocol.ts";
import { libraryEnvironment, readNativeSetup } from "./native-setup.ts";
import { Watchdog } from "./watchdog.ts";

interface PendingCall {
  /** Whether it is not a ping: pings take no time, so the first call that is work was running when the engine was lost. */
  isWork: boolean;
  resolve(answer: EngineAnswer): void;
  reject(error: Error): void;
}

interface EngineProcessSettings {
  cpu?: CpuSettings;
  /** The device on which ONNX Runtime runs the encoder; undefined: the CPU. */
  device?: OnnxDevice;
  /** The GPU that it sees, as `CUDA_VISIBLE_DEVICES` names it; undefined: all. */
  gpu?: string | undefined;
  /** An engine that does not answer for this long is killed; undefined: never. */
  silenceLimitMs?: number;
  /** An engine that is not warm after this time is killed; undefined: never. */
  startLimitMs?: number;
  /** Aborts the start. */
  signal?: AbortSignal;
}

/** Why an engine is gone: it ended by itself, or was killed because it did not answer or grew too large. */
export type LossReason = "died" | "hung" | "grown";

/** The error of a call whose engine is gone. */
export class EngineLost extends Error {
  override readonly name = "EngineLost";
  readonly reason: LossReason;
  /** Whether the engine had begun this call: those after the first were only queued. */
  readonly wasBegun: boolean;

  constructor(message: string, { reason = "died", wasBegun = true }: { reason?: LossReason; wasBegun?: boolean } = {}) {
    super(message);
    this.reason = reason;
    this.wasBegun = wasBegun;
  }
}

/**
 * Starts an engine on the bundle in `folder`, in a process of its own; resolves when it is warm. Throws the engine's error,
 * or `EngineLost` if it ended without one.
 */
export async function startEngineProcess(
  folder: string,
  choice: EngineChoice,
  settings: EngineProcessSettings = {},
): Promise<EngineProcess> {
  const { cpu = {}, device = "cpu", signal, startLimitMs } = settings;
  const start: EngineStart = { folder, choice, cpu, device };
  const child = fork(
    fileURLToPath(new URL(`./engine-child${programExtension}`, import.meta.url)),
    [JSON.stringify(start)],
    {
      env: environmentOf(choice, settings),
      execArgv: loaderArguments(),
      serialization: "advanced",
    },
  );
  const kill = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  const startTimer = startLimitMs === undefined ? undefined : setTimeout(kill, startLimitMs);
  try {
    const message = await firstMessage(child);
    if (message.kind === "ready") return new EngineProcess(child, message, settings);
    kill();
    throw new Error(message.kind === "failed" ? message.reason : `the engine's first message was ${message.kind}`);
  } finally {
    clearTimeout(startTimer);
    signal?.removeEventListener("abort", kill);
  }
}

/** The child's first message. Throws `EngineLost` if the child ends, or cannot be started, before it. */
function firstMessage(child: ChildProcess): Promise<EngineMessage> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("error", ({ message }) => reject(new EngineLost(`the engine cannot be started: ${message}`)));
    child.once("exit", (code, by) => reject(new EngineLost(`the engine ended with ${by ?? code} while it started`)));
  });
}

/** The child's environment: CUDA libraries can only be added when a process starts, and so can the choice of a GPU. */
function environmentOf(choice: EngineChoice, { gpu, cpu, device }: EngineProcessSettings): NodeJS.ProcessEnv {
  const setup = choice === "onnx" && device !== "cuda" ? undefined : readNativeSetup();
  if (setup === undefined && gpu === undefined) return process.env;
  return {
    ...(setup === undefined ? process.env : libraryEnvironment(setup)),
    ...(gpu === undefined ? {} : { CUDA_VISIBLE_DEVICES: gpu }),
    ...(cpu?.threads === undefined ? {} : { TF_NUM_INTRAOP_THREADS: String(cpu.threads) }),
  };
}

/** A warm engine in its child process. Calls are answered in order; when the child is lost, each open call fails once. */
export class EngineProcess {
  readonly identity: EngineIdentity;
  /** Resolves when the child ends without `close`. */
  readonly lost: Promise<EngineLost>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #pending = new Map<number, PendingCall>();
  readonly #watchdog: Watchdog | undefined;
  #calls = 0;
  #usage: EngineUsage = { memoryBytes: 0, cpuSeconds: 0 };
  /** Whether its channel takes messages. A child that was killed takes none before its end is heard of. */
  #isReachable = true;
  /** Why this process ended the child, if it did. */
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
        this.#watchdog?.stop();
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
    child.on("error", () => child.kill("SIGKILL")); // its channel broke
    if (silenceLimitMs !== undefined) this.#watchdog = this.#startWatchdog(silenceLimitMs);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** False once it has ended or is being ended. */
  get isAlive(): boolean {
    const hasEnded = this.#child.exitCode !== null || this.#child.signalCode !== null;
    return this.#isReachable && this.#ending === undefined && !hasEnded;
  }

  /** What the child had used at its last answer. */
  get usage(): EngineUsage {
    return this.#usage;
  }

  /** `pixels` uint8 [photos, height, width, 3], one entry of `options` per photo → each photo's captions, best first. */
  async caption(pixels: Uint8Array, options: readonly SearchOptions[]): Promise<BatchCaptions> {
    return captionsOf(await this.#call({ kind: "caption", pixels, options }));
  }

  /** `features` float32 [photos, featureSize], as `encode` returns them, → each photo's captions, best first. */
  async search(features: Float32Array, options: readonly SearchOptions[]): Promise<FoundCaption[][]> {
    return captionsOf(await this.#call({ kind: "search", features, options })).captions;
  }

  /** `pixels` uint8 [photos, height, width, 3] → float32 [photos, featureSize]. */
  async encode(pixels: Uint8Array, photos: number): Promise<Float32Array> {
    const answer = await this.#call({ kind: "encode", pixels, photos });
    if (answer.kind !== "features") throw new Error(`expected features of the engine, received ${answer.kind}`);
    return answer.features;
  }

  async close(): Promise<void> {
    this.#ending = "closed";
    this.#watchdog?.stop();
    this.#child.kill("SIGKILL"); // it has nothing to save
    await this.#exited;
  }

  /** Kills the child, which then counts as lost. */
  abandon(reason: LossReason, why: string): void {
    if (!this.isAlive) return;
    this.#ending = new EngineLost(`the engine ${why}`, { reason });
    this.#child.kill("SIGKILL");
  }

  #startWatchdog(limitMs: number): Watchdog {
    return new Watchdog({
      limitMs,
      ping: () => {
        if (this.#pending.size === 0) this.#call({ kind: "ping" }).catch(() => {}); // `lost` reports an engine that is gone
      },
      onTimeout: () => this.abandon("hung", `did not answer for ${limitMs} ms`),
    });
  }

  #call(call: EngineCall): Promise<EngineAnswer> {
    const number = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { isWork: call.kind !== "ping", resolve, reject });
      this.#child.send({ call: number, ...call } satisfies EngineRequest, (error) => {
        if (error === null) return;
        this.#isReachable = false;
        this.#child.kill("SIGKILL");
        this.#take(number)?.reject(new EngineLost("the engine cannot be reached", { wasBegun: false }));
      });
    });
  }

  #settle(message: EngineMessage): void {
    if (!("call" in message)) return;
    this.#watchdog?.reset();
    const { memoryBytes, cpuSeconds } = message;
    this.#usage = { memoryBytes, cpuSeconds };
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
