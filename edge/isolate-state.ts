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
  /** Bytes of uploads held in memory by all requests of this isolate. */
  bufferedBytes: number;
}

/**
 * All that outlives a request in this isolate. Never a promise: the runtime cancels one together with the request
 * that made it, and whoever else waits for it waits for good.
 */
export const isolateState: IsolateState = { revision: null, origins: new Map(), bufferedBytes: 0 };
