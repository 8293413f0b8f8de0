import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { CaptionOptions } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import type { EngineChoice, OnnxDevice, PrecisionChoice } from "../engine.ts";
import { EngineLost, type EngineProcess, startEngineProcess } from "./engine-process.ts";
import type { BatchCaptions, EngineIdentity } from "./engine-protocol.ts";

/** Starts in a row that may fail before the pool gives up; the pause before each is twice the one before. */
const maxStarts = 6;
const firstPauseMs = 100;

/** Told of what happens, for whoever keeps count. */
export interface PoolEvents {
  /** An engine is gone and about to be replaced. */
  onLost?(error: EngineLost): void;
  /** One stands in its place. */
  onReplaced?(identity: EngineIdentity): void;
  /** An engine ended before it was warm, and is started again. */
  onFailedStart?(error: EngineLost): void;
  /** An engine took so many photos. */
  onBatch?(photos: number): void;
}

interface EnginePoolSettings {
  folder: string;
  choice: EngineChoice;
  /** What ONNX Runtime runs the encoder on; the CPU where it is left out. */
  device?: OnnxDevice;
  /** All engines have the same, so `auto` is what the first chooses. */
  precision: PrecisionChoice;
  /** How many children. On the CPU they share its cores. */
  engines: number;
  /** The GPUs as `CUDA_VISIBLE_DEVICES` names them: a child each, in turn. Empty: whatever a child finds. */
  gpus: readonly string[];
  /** A child that owes an answer for longer hangs. */
  silenceLimitMs: number;
  /** A child that is not warm by then is started again. */
  startLimitMs: number;
  /** A child above it is replaced behind the batch that showed it. */
  memoryLimitBytes: number;
  /** An engine was replaced, and is free. */
  onFree(): void;
  events: PoolEvents;
}

interface Slot {
  readonly number: number;
  engine: EngineProcess;
  /** Batches in flight. */
  batches: number;
}

/** Engines in processes of their own, each replaced when it dies, hangs or grows too large while the others go on. */
export class EnginePool {
  /** Resolves when an engine cannot be replaced: there is nobody then to answer for it. */
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

  /** Starts all engines at once; resolves when all are warm, and throws what is wrong with the first that cannot be. */
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

  /** Of an engine that lives, and whether any fell back to the CPU. */
  get identity(): EngineIdentity {
    const [first] = [...this.#slots].sort((one, other) => Number(other.engine.isAlive) - Number(one.engine.isAlive));
    if (first === undefined) throw new Error("expected at least one engine");
    return { ...first.engine.identity, isFallback: this.#slots.some(({ engine }) => engine.identity.isFallback) };
  }

  get size(): number {
    return this.#slots.length;
  }

  /** Engines that are warm, whether they work or wait. */
  get ready(): number {
    return this.#slots.filter(({ engine }) => engine.isAlive).length;
  }

  /**
   * Whether an engine would take a batch now. A full one is also sent to an engine that has one in hand, so that it need
   * not wait for the pixels; others are better waited with, for company.
   */
  canTake({ isFull }: { isFull: boolean }): boolean {
    const slot = this.#nextSlot();
    return slot !== undefined && slot.batches <= (isFull ? 1 : 0);
  }

  /** Resident memory of each engine by its number, as it last said. */
  get memoryBytes(): number[] {
    return this.#slots.map(({ engine }) => engine.memoryBytes);
  }

  /**
   * Has the engine that has the least to do caption a batch: `pixels` uint8 [photos, height, width, 3], an entry of `options` a
   * photo. Throws `EngineLost` when the engine is lost with it.
   */
  async run(pixels: readonly Uint8Array[], options: readonly CaptionOptions[]): Promise<BatchCaptions> {
    const slot = this.#nextSlot();
    if (slot === undefined) throw new CaptionError("internal", "expected an engine that lives");
    const { engine } = slot;
    const { events, memoryLimitBytes } = this.#settings;
    slot.batches += 1;
    try {
      events.onBatch?.(options.length);
      return await engine.caption(Buffer.concat(pixels), options);
    } finally {
      slot.batches -= 1;
      const { memoryBytes } = engine;
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

  /** Replaces a slot's engine for as long as that can be done. */
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

/** Starts an engine, again where it ended without a word. */
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
