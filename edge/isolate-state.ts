import { BufferPool } from "./buffer-hold.ts";

const mebibyte = 1024 * 1024;

interface KnownRevision {
  value: string;
  /** When an answer last told it. */
  learntAtMs: number;
  /** When the service was last asked for it, with or without success. */
  askedAtMs: number;
}

interface OriginHealth {
  /** Failures in a row. */
  failures: number;
  leftAloneUntilMs: number;
}

interface IsolateState {
  /** The model revision believed to be in service, or null while this isolate has not learnt one. */
  revision: KnownRevision | null;
  /** The services that failed when they were last asked. */
  origins: Map<string, OriginHealth>;
  /** When each service last answered by the contract. */
  answeredAtMs: Map<string, number>;
  /** Photos, while they arrive and until they are answered: half of the 128 MB that an isolate has. Joining one takes its size once more, for a moment. */
  uploads: BufferPool;
  /** JSON bodies of look-ups and of addresses, which so find room however many photos are under way. */
  questions: BufferPool;
  /** What unread bodies pass through after their request was refused. */
  drains: BufferPool;
  /** What all of them hold together. */
  readonly bufferedBytes: number;
}

/**
 * All that outlives a request in this isolate. Never a promise: the runtime cancels one together with the request
 * that made it, and whoever else waits for it waits for good.
 */
export const isolateState: IsolateState = {
  revision: null,
  origins: new Map(),
  answeredAtMs: new Map(),
  uploads: new BufferPool({ maxBytes: 64 * mebibyte }),
  questions: new BufferPool({ maxBytes: 2 * mebibyte }),
  drains: new BufferPool({ maxBytes: 8 * mebibyte }),
  get bufferedBytes() {
    return this.uploads.bytes + this.questions.bytes + this.drains.bytes;
  },
};
