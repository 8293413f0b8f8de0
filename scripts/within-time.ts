/**
 * Does work under a signal that also aborts when its time is up. In the place of `AbortSignal.any` over an
 * `AbortSignal.timeout`, which Node lets go of before its time if nothing else holds it (nodejs/node#57736): then the
 * limit never comes.
 */
export async function withinTime<Result>(
  { ms, signal }: { ms: number; signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException(`not done within ${ms} ms`, "TimeoutError")), ms);
  try {
    return await work(AbortSignal.any([signal, limit.signal]));
  } finally {
    clearTimeout(timer);
  }
}
