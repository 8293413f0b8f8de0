import { BufferPool } from "./buffer-hold.ts";

const mebibyte = 1024 * 1024;

interface KnownRevision {
  value: string;
  /** Time of the last answer that named it. */
  learntAtMs: number;
  /** Time when the service was last asked for it, with or without success. */
  askedAtMs: number;
}

interface OriginHealth {
  /** Failures in a row. */
  failures: number;
  leftAloneUntilMs: number;
}

interface IsolateState {
  /** The model revision believed to be in service; null until this isolate has learnt one. */
  revision: KnownRevision | null;
  /** Services that failed when they were last asked. */
  origins: Map<string, OriginHealth>;
  /** Time when each service last answered by the contract. */
  answeredAtMs: Map<string, number>;
  /** Photos from their first byte until they are answered: half of the 128 MB of an isolate. Joining one's pieces takes its size again, for a moment. */
  uploads: BufferPool;
  /** JSON bodies of look-ups and of addresses, which have room however many photos are under way. */
  jsonBodies: BufferPool;
  /** Buffers through which unread bodies of refused requests pass. */
  drains: BufferPool;
  /** Bytes in all of them. */
  readonly bufferedBytes: number;
}

/**
 * Everything in this isolate that outlives a request. It must never hold a promise: the runtime cancels a promise together
 * with the request that made it, and other requests would wait for it forever.
 */
export const isolateState: IsolateState = {
  revision: null,
  origins: new Map(),
  answeredAtMs: new Map(),
  uploads: new BufferPool({ maxBytes: 64 * mebibyte }),
  jsonBodies: new BufferPool({ maxBytes: 2 * mebibyte }),
  drains: new BufferPool({ maxBytes: 8 * mebibyte }),
  get bufferedBytes() {
    return this.uploads.bytes + this.jsonBodies.bytes + this.drains.bytes;
  },
};
