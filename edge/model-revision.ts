import { revisionSchema } from "../shared/contract.ts";
import { isolateState } from "./isolate-state.ts";
import { describeError, log } from "./log.ts";
import type { ServiceClient } from "./service-client.ts";

const kvKey = "model-revision";

interface ModelRevisionParts {
  kv: KVNamespace;
  service: Pick<ServiceClient, "modelCard">;
  refreshSeconds: number;
  waitUntil: (work: Promise<unknown>) => void;
}

/**
 * The model revision in service, as far as this isolate knows. Every answer of the service names it, and KV keeps the last
 * one, so that a fresh isolate finds cached captions while the service is down.
 */
export class ModelRevision {
  readonly #parts: ModelRevisionParts;

  constructor(parts: ModelRevisionParts) {
    this.#parts = parts;
  }

  /** Returns the revision last heard of, or null before the first. Asks the service again in the background. */
  async current(): Promise<string | null> {
    const known = isolateState.revision ?? (await this.#recall());
    if (known === null) return null;
    const now = Date.now();
    if (now - known.askedAtMs >= this.#parts.refreshSeconds * 1000) {
      known.askedAtMs = now; // before asking, so that the requests of this moment ask once
      this.#parts.waitUntil(this.ask().catch(logRefreshFailure));
    }
    return known.value;
  }

  /** Returns the revision last heard of, or else asks the service now. Throws what the service client throws. */
  async currentOrAsk(): Promise<string> {
    return (await this.current()) ?? this.ask();
  }

  /** Asks the service now. Throws what the service client throws. */
  async ask(): Promise<string> {
    const askedAtMs = Date.now();
    const { revision } = await this.#parts.service.modelCard();
    this.learn(revision, { askedAtMs });
    return revision;
  }

  /** Takes note of an answer's revision. An answer that was asked for before the last news cannot overturn it. */
  learn(revision: string, { askedAtMs }: { askedAtMs: number }): void {
    const known = isolateState.revision;
    const isNews = known?.value !== revision;
    if (known !== null && isNews && askedAtMs < known.learntAtMs) return;
    const now = Date.now();
    isolateState.revision = { value: revision, learntAtMs: now, askedAtMs: now };
    if (isNews) this.#parts.waitUntil(this.#remember(revision));
  }

  /** Takes the revision from KV, unless an answer named one while KV was read. */
  async #recall(): Promise<typeof isolateState.revision> {
    try {
      const { success, data } = revisionSchema.safeParse(await this.#parts.kv.get(kvKey));
      if (success) isolateState.revision ??= { value: data, learntAtMs: 0, askedAtMs: 0 };
    } catch (error) {
      log("warn", "the last known revision could not be read", { error: describeError(error) });
    }
    return isolateState.revision;
  }

  async #remember(revision: string): Promise<void> {
    try {
      await this.#parts.kv.put(kvKey, revision);
    } catch (error) {
      log("warn", "the revision could not be kept in KV", { revision, error: describeError(error) });
    }
  }
}

function logRefreshFailure(error: unknown): void {
  log("warn", "the revision could not be refreshed", { error: describeError(error) });
}
