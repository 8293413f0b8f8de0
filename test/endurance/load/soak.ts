import { setTimeout } from "node:timers/promises";
import type { LocalServers } from "../../../scripts/start/local-servers.ts";
import { generateLoad, type LoadRun, type Target } from "./load-generator.ts";
import { type MemorySample, sampleMemory } from "./memory.ts";
import { soakShape } from "./shapes.ts";

/** Number of samples, enough for a line in a chart. */
const sampleCount = 120;

interface Soak {
  run: LoadRun;
  samples: MemorySample[];
}

/** Runs the mixed load for minutes, and samples memory meanwhile. */
export async function soak(
  { target, servers }: { target: Target; servers: LocalServers },
  minutes: number,
): Promise<Soak> {
  const over = new AbortController();
  const sampling = watchMemory(servers, {
    everyMs: (minutes * 60_000) / sampleCount,
    signal: AbortSignal.any([over.signal, target.signal]),
  });
  sampling.catch(() => undefined); // the error is reported by the await below
  try {
    const run = await generateLoad(soakShape, { ...target, seconds: minutes * 60 });
    return { run, samples: await end() };
  } finally {
    await end();
  }

  function end(): Promise<MemorySample[]> {
    over.abort();
    return sampling;
  }
}

/** Samples memory until the signal aborts. */
async function watchMemory(
  servers: LocalServers,
  { everyMs, signal }: { everyMs: number; signal: AbortSignal },
): Promise<MemorySample[]> {
  const samples: MemorySample[] = [];
  const begunMs = performance.now();
  while (!signal.aborted) {
    const memory = await sampleMemory(servers);
    samples.push({ minute: (performance.now() - begunMs) / 60_000, ...memory });
    await setTimeout(everyMs, undefined, { signal }).catch(() => undefined);
  }
  return samples;
}
