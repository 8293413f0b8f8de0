import { createMiddleware } from "hono/factory";
import { CaptionError } from "../shared/errors.ts";
import { type ArrivalLimits, ArrivalWatch } from "./arrival-watch.ts";
import type { EdgeEnv } from "./context.ts";
import { isolateState } from "./isolate-state.ts";
import { publicCaller } from "./rate-limit.ts";
import type { Settings } from "./settings.ts";

/** The longest body that Cloudflare lets through on any plan; elsewhere the time limit ends it. */
const maxDrainedBytes = 500_000_000;
const bufferBytes = 32 * 1024;

/** Limits when the settings are unknown: at an unknown path, or because one of them is bad. */
const usualArrival: ArrivalLimits = { timeoutMs: 15_000, minBytesPerSecond: 4096 };

/**
 * Reads and drops what a request still sends after its answer is known. An unread body breaks the connection: the sender may
 * never see the answer, and under `wrangler dev` the next caller's request fails with it.
 */
export const drainBody = createMiddleware<EdgeEnv>(async (c, next) => {
  await next();
  const { body } = c.req.raw;
  if (body === null || body.locked) return;
  const settings: Settings | undefined = c.get("settings");
  const arrival = settings && { ...settings, timeoutMs: settings.bodyTimeoutMs };
  const drained = drain(body, { caller: publicCaller(c).limitKey, arrival });
  c.executionCtx.waitUntil(drained); // or a client that leaves would end it before its memory is released
  await drained;
});

/** Reads to the body's end, or cancels a body that is too long or too slow. Never throws. */
async function drain(
  body: ReadableStream<Uint8Array>,
  { caller, arrival = usualArrival }: { caller: string; arrival: ArrivalLimits | undefined },
): Promise<void> {
  const hold = isolateState.drains.holdFor(caller);
  const tooLate = () => new CaptionError("request_timeout", "the rest of a refused body did not arrive");
  const watch = new ArrivalWatch({ ...arrival, tooLate });
  try {
    hold.growTo(bufferBytes);
    const reader = body.getReader({ mode: "byob" });
    watch.signal.addEventListener("abort", () => void reader.cancel().catch(() => {}), { once: true });
    watch.watchRate(hold);
    let buffer = new Uint8Array(bufferBytes);
    for (let bytes = 0; bytes < maxDrainedBytes; ) {
      const { value, done } = await reader.readAtLeast(watch.minReadBytes, buffer);
      if (done) return;
      bytes += value.length;
      watch.note(bytes);
      buffer = new Uint8Array(value.buffer);
    }
    await reader.cancel();
  } catch {
    // there is no room, or the client has left: nobody reads the error
  } finally {
    watch.end();
    hold.release();
  }
}
