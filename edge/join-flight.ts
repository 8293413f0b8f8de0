import { captionQuery, type SearchOptions } from "../shared/caption-options.ts";
import type { PhotoId } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import type { Priority } from "../shared/priority.ts";
import type { CaptionFlight } from "./caption-flight.ts";
import type { Stored } from "./layered-store.ts";
import { describeError, log } from "./log.ts";

export interface Flights {
  namespace: DurableObjectNamespace<CaptionFlight>;
  waitUntil: (work: Promise<unknown>) => void;
}

interface FlightPlan<T extends Stored> {
  /** Equal for two requests that want the same result. */
  key: FlightKey;
  deadlineAtMs: number;
  /** Whether a person waits, who does not wait for a job's run. */
  priority: Priority;
  /** Makes the result if no other request does. Its error concerns this caller alone. */
  run: () => Promise<T>;
  /** Whether later callers may get this result, and waiting ones may store it. */
  isKept: (result: T) => boolean;
}

interface FlightKey {
  photoId: PhotoId;
  revision: string;
  options: SearchOptions;
}

/** Names the object that all requests for captions of one photo join. */
export function flightName({ photoId, revision }: Omit<FlightKey, "options">): string {
  return `${photoId}/${revision}`;
}

/**
 * Makes a result once for all requests that want it at the same time: one makes it, the others get it from there. When the
 * Durable Object cannot be reached, each request makes its own.
 */
export async function joinFlight<T extends Stored>(
  { namespace, waitUntil }: Flights,
  { key, deadlineAtMs, priority, run, isKept }: FlightPlan<T>,
): Promise<{ made: T } | { shared: Stored; isKept: boolean }> {
  const ticket = await takeTicket({ namespace, key, deadlineAtMs, priority });
  if (ticket === null) return { made: await run() };
  if (ticket.kind === "result") return { shared: ticket.result, isKept: ticket.isKept };
  if (ticket.kind === "timeout") throw new CaptionError("upstream_timeout", "no caption was made in time");
  const { lease } = ticket;
  try {
    const made = await run();
    const { body, storedAtMs } = made;
    waitUntil(
      handBack(() => lease.finish({ body, storedAtMs }, { isKept: isKept(made) })).finally(() =>
        lease[Symbol.dispose](),
      ),
    );
    return { made };
  } catch (error) {
    lease[Symbol.dispose]();
    throw error;
  }
}

interface TicketRequest {
  namespace: DurableObjectNamespace<CaptionFlight>;
  key: FlightKey;
  deadlineAtMs: number;
  priority: Priority;
}

/** Tries twice: an object that was moved or restarted fails its callers, and the next call finds the new one. */
async function takeTicket({ namespace, key, deadlineAtMs, priority }: TicketRequest) {
  for (const attempt of [1, 2]) {
    try {
      const waitMs = Math.max(0, deadlineAtMs - Date.now());
      return await namespace.getByName(flightName(key)).join({ query: captionQuery(key.options), waitMs, priority });
    } catch (error) {
      log("warn", "a flight could not be joined", { attempt, error: describeError(error) });
    }
  }
  return null;
}

async function handBack(finish: () => Promise<void>): Promise<void> {
  try {
    await finish();
  } catch (error) {
    log("warn", "a result could not be handed to those who wait for it", { error: describeError(error) });
  }
}
