import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { PhaseTimings } from "../captioner/captioner.ts";
import type { PoolEvents } from "../captioner/engines/engine-pool.ts";
import type { EngineUsage } from "../captioner/engines/engine-protocol.ts";
import { type Priority, priorities } from "../shared/priority.ts";
import type { Lifecycle } from "./http/lifecycle.ts";

/** Histogram buckets, from a tiny model's step to a photo that waited until its deadline. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const photoBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** The metrics of `/metrics`, in Prometheus' text format. */
export class Metrics implements PoolEvents {
  readonly #registry = new Registry();
  readonly #requests: Counter<"outcome" | "priority">;
  readonly #phases: Histogram<"phase" | "priority">;
  readonly #batches: Histogram;
  readonly #losses: Counter<"reason">;

  constructor(lifecycle: Lifecycle) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: "edge_caption_requests_total",
      help: "Requests for captions by what became of them (ok, client_gone or an error's code) and by priority: interactive or bulk.",
      labelNames: ["outcome", "priority"],
      registers,
    });
    this.#phases = new Histogram({
      name: "edge_caption_phase_seconds",
      help: "Seconds of a captioned photo by phase: decode, queue, encode, search, total. Encode and search are its batch's.",
      labelNames: ["phase", "priority"],
      buckets: secondsBuckets,
      registers,
    });
    this.#batches = new Histogram({
      name: "edge_caption_batch_photos",
      help: "Photos of a batch.",
      buckets: photoBuckets,
      registers,
    });
    this.#losses = new Counter({
      name: "edge_caption_engine_restarts_total",
      help: "Engines that were replaced, by reason: died, hung, grown.",
      labelNames: ["reason"],
      registers,
    });
    gaugeLifecycle(lifecycle, this.#registry);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  onRequest(request: { outcome: string; priority: Priority }): void {
    this.#requests.inc(request);
  }

  onCaption(milliseconds: PhaseTimings & { total: number }, priority: Priority): void {
    for (const [phase, ms] of Object.entries(milliseconds)) this.#phases.observe({ phase, priority }, ms / 1000);
  }

  onBatch(photos: number): void {
    this.#batches.observe(photos);
  }

  onLost({ reason }: { reason: string }): void {
    this.#losses.inc({ reason });
  }
}

/** Registers the gauges that are read at each scrape. */
function gaugeLifecycle(lifecycle: Lifecycle, registry: Registry): void {
  const { admission } = lifecycle;
  const gauges: Record<string, { help: string; read(): number | undefined }> = {
    admitted_bytes: { help: "Bytes of the photos of requests in hand.", read: () => admission.bytes },
    decoding_photos: {
      help: "Photos being decoded or waiting for it.",
      read: () => lifecycle.captioner?.state().decoding,
    },
    engines_ready: { help: "Engines that are warm.", read: () => lifecycle.captioner?.state().engines.ready },
    engines_expected: { help: "Engines there should be.", read: () => lifecycle.captioner?.state().engines.expected },
  };
  for (const [name, { help, read }] of Object.entries(gauges)) {
    new Gauge({
      name: `edge_caption_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read() ?? 0);
      },
    });
  }
  const byPriority: Record<string, { help: string; read(priority: Priority): number | undefined }> = {
    admitted_requests: {
      help: "Requests in hand, by priority.",
      read: (priority) => admission.requestsOf(priority),
    },
    queued_photos: {
      help: "Decoded photos that wait for an engine, by priority.",
      read: (priority) => lifecycle.captioner?.state().queued[priority],
    },
  };
  for (const [name, { help, read }] of Object.entries(byPriority)) {
    new Gauge({
      name: `edge_caption_${name}`,
      help,
      labelNames: ["priority"],
      registers: [registry],
      collect() {
        for (const priority of priorities) this.set({ priority }, read(priority) ?? 0);
      },
    });
  }
  new Gauge({
    name: "edge_caption_engine_memory_bytes",
    help: "Resident memory of each engine, as it said with its last answer.",
    labelNames: ["engine"],
    registers: [registry],
    collect() {
      for (const [engine, { memoryBytes }] of usageOf(lifecycle).entries()) this.set({ engine }, memoryBytes);
    },
  });
  new Counter({
    name: "edge_caption_engine_cpu_seconds_total",
    help: "CPU seconds that each engine has spent in the model; from zero again when it is replaced.",
    labelNames: ["engine"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [engine, { cpuSeconds }] of usageOf(lifecycle).entries()) this.inc({ engine }, cpuSeconds);
    },
  });
  new Gauge({
    name: "edge_caption_model_info",
    help: "1, with the model and what runs it.",
    labelNames: ["id", "revision", "engine", "device", "precision"],
    registers: [registry],
    collect() {
      if (lifecycle.captioner === undefined) return;
      const { card } = lifecycle.captioner;
      const engine = lifecycle.captioner.engine();
      this.reset(); // an engine may have been replaced by a different one
      const { name, device, precision } = engine;
      this.set({ id: card.id, revision: card.revision, engine: name, device, precision }, 1);
    },
  });
}

function usageOf({ captioner }: Lifecycle): EngineUsage[] {
  return captioner?.state().engines.usage ?? [];
}
