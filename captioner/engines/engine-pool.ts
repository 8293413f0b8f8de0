import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import type { SearchOptions } from "../../shared/caption-options.ts";
import { CaptionError } from "../../shared/errors.ts";
import type { EngineChoice, OnnxDevice, PrecisionChoice } from "../engine.ts";
import { EngineLost, type EngineProcess, startEngineProcess } from "./engine-process.ts";
import type { BatchCaptions, EngineIdentity, EngineUsage } from "./engine-protocol.ts";

/** Consecutive failed starts after which the pool gives up; each pause is twice the one before. */
const maxStarts = 6;
const firstPauseMs = 100;

/** Callbacks for metrics and the log. */
export interface PoolEvents {
  /** An engine was lost and is about to be replaced. */
  onLost?(error: EngineLost): void;
  /** A lost engine was replaced. */
  onReplaced?(identity: EngineIdentity): void;
  /** An engine ended before it was warm and is started again. */
  onFailedStart?(error: EngineLost): void;
  /** An engine took a batch of this many photos. */
  onBatch?(photos: number): void;
}

interface EnginePoolSettings {
  folder: string;
  choice: EngineChoice;
  /** The device on which ONNX Runtime runs the encoder; undefined: the CPU. */
  device?: OnnxDevice;
  /** The same for all engines: `auto` is what the first chooses. */
  precision: PrecisionChoice;
  /** Number of children. On the CPU they share its cores. */
  engines: number;
  /** The GPUs as `CUDA_VISIBLE_DEVICES` names them, assigned to the children in turn. Empty: whatever a child finds. */
  gpus: readonly string[];
  /** A child that owes an answer for longer counts as hung. */
  silenceLimitMs: number;
  /** A child that is not warm after this time is started again. */
  startLimitMs: number;
  /** A child above this is replaced after its batch. */
  memoryLimitBytes: number;
  /** Called when a replaced engine is free. */
  onFree(): void;
  events: PoolEvents;
}

interface Slot {
  readonly number: number;
  engine: EngineProcess;
  /** Batches in flight. */
  batches: number;
}

/** Engines in processes of their own; one that dies, hangs or grows too large is replaced while the others continue. */
export class EnginePool {
  /** Resolves when an engine cannot be replaced. */
  readonly gaveUp: Promise<Error>;
  readonly #settings: EnginePoolSettings;
  readonly #slots: readonly Slot[];
  readonly #closing: AbortController;

  private constructor(settings: EnginePoolSettings, started: { engines: EngineProcess[]; closing: AbortController }) {
    this.#settings = settings;
    this.#closing = started.closing;
    this.#slots = started.engines.map((engine, number) => ({ number, engine, batches: 0 }));
    this.gaveUp = new Promise((resolve) => {
      for (const slot of this.#slots) {
        this.#keep(slot).catch((error: Error) => {
          if (!this.#closing.signal.aborted) resolve(error);
        });
      }
    });
  }

  /** Starts all engines at once; resolves when all are warm. Throws the error of the first that fails. */
  static async start(settings: EnginePoolSettings): Promise<EnginePool> {
    const closing = new AbortController();
    const start = (number: number, precision: PrecisionChoice) =>
      startEngine(number, { ...settings, precision }, closing.signal);
    const { precision } = settings;
    const first = start(0, precision);
    const others = Array.from({ length: settings.engines - 1 }, async (_, index) =>
      start(index + 1, precision === "auto" ? (await first).identity.precision : precision),
    );
    const starts = [first, ...others];
    try {
      return new EnginePool(settings, { engines: await Promise.all(starts), closing });
    } catch (error) {
      closing.abort();
      for (const started of await Promise.allSettled(starts)) {
        if (started.status === "fulfilled") await started.value.close();
      }
      throw error;
    }
  }

  /** The identity of a running engine, and whether any fell back to the CPU. */
  get identity(): EngineIdentity {
    const [first] = [...this.#slots].sort((one, other) => Number(other.engine.isAlive) - Number(one.engine.isAlive));
    if (first === undefined) throw new Error("expected at least one engine");
    return { ...first.engine.identity, isFallback: this.#slots.some(({ engine }) => engine.identity.isFallback) };
  }

  get size(): number {
    return this.#slots.length;
  }

  /** Number of warm engines, busy or not. */
  get ready(): number {
    return this.#slots.filter(({ engine }) => engine.isAlive).length;
  }

  /**
   * Whether an engine would take a batch now. A full batch may also go to an engine that runs one, so that its pixels are
   * there when the engine is free; a batch that is not full waits for more photos instead.
   */
  canTake({ isFull }: { isFull: boolean }): boolean {
    const slot = this.#nextSlot();
    return slot !== undefined && slot.batches <= (isFull ? 1 : 0);
  }

  /** What each engine had used at its last answer. */
  get usage(): EngineUsage[] {
    return this.#slots.map(({ engine }) => engine.usage);
  }

  /**
   * Captions a batch on the least busy engine: `pixels` uint8 [photos, height, width, 3], one entry of `options` per photo.
   * Throws `EngineLost` when that engine is lost.
   */
  async run(pixels: readonly Uint8Array[], options: readonly SearchOptions[]): Promise<BatchCaptions> {
    const slot = this.#nextSlot();
    if (slot === undefined) throw new CaptionError("internal", "expected a running engine");
    const { engine } = slot;
    const { events, memoryLimitBytes } = this.#settings;
    slot.batches += 1;
    try {
      events.onBatch?.(options.length);
      return await engine.caption(Buffer.concat(pixels), options);
    } finally {
      slot.batches -= 1;
      const { memoryBytes } = engine.usage;
      if (memoryBytes > memoryLimitBytes) {
        engine.abandon("grown", `has grown to ${memoryBytes} bytes, above its limit of ${memoryLimitBytes}`);
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#slots.map(({ engine }) => engine.close()));
  }

  #nextSlot(): Slot | undefined {
    const alive = this.#slots.filter(({ engine }) => engine.isAlive);
    return alive.sort((one, other) => one.batches - other.batches)[0];
  }

  /** Replaces a slot's engine whenever it is lost, until that fails. */
  async #keep(slot: Slot): Promise<never> {
    const { events, onFree } = this.#settings;
    const { revision, precision } = this.identity;
    for (;;) {
      const error = await slot.engine.lost;
      events.onLost?.(error);
      const engine = await startEngine(slot.number, { ...this.#settings, precision }, this.#closing.signal);
      if (engine.identity.revision !== revision) {
        await engine.close();
        throw new Error(`the bundle is not the one that was loaded: ${revision} became ${engine.identity.revision}`);
      }
      slot.engine = engine;
      events.onReplaced?.(engine.identity);
      onFree();
    }
  }
}

/** Starts an engine, and once more if it ended without an error message. */
async function startEngine(
  number: number,
  {
    folder,
    choice,
    device = "cpu",
    precision,
    engines,
    gpus,
    silenceLimitMs,
    startLimitMs,
    events,
  }: EnginePoolSettings,
  signal: AbortSignal,
): Promise<EngineProcess> {
  const cpu = { threads: Math.max(1, Math.floor(availableParallelism() / engines)), precision };
  const gpu = gpus[number % gpus.length];
  let pauseMs = firstPauseMs;
  for (let start = 1; ; start++) {
    try {
      return await startEngineProcess(folder, choice, { cpu, device, gpu, silenceLimitMs, startLimitMs, signal });
    } catch (error) {
      if (signal.aborted || !(error instanceof EngineLost) || start === maxStarts) throw error;
      events.onFailedStart?.(error);
    }
    await setTimeout(pauseMs, undefined, { signal });
    pauseMs *= 2;
  }
}

/** The visible GPUs of this machine, as `CUDA_VISIBLE_DEVICES` names them; none if there is no driver. */
export async function visibleGpus(environment: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const { CUDA_VISIBLE_DEVICES } = environment;
  if (CUDA_VISIBLE_DEVICES !== undefined) return namesIn(CUDA_VISIBLE_DEVICES.split(","));
  try {
    const query = ["--query-gpu=uuid", "--format=csv,noheader"];
    const { stdout } = await promisify(execFile)("nvidia-smi", query, { env: environment });
    return namesIn(stdout.split("\n"));
  } catch {
    return []; // the engine reports that it finds no GPU
  }
}

function namesIn(texts: readonly string[]): string[] {
  return texts.map((text) => text.trim()).filter((text) => text !== "");
}
