import autocannon from "autocannon";
import type { ErrorCode } from "../../../shared/errors.ts";
import { judgeReply } from "./judge-reply.ts";
import type { PhotoSupply, SentPhoto } from "./photo-supply.ts";
import type { Shape } from "./shapes.ts";

/** Above the 25 s that the edge gives a caption. */
const timeoutSeconds = 30;

export interface Target {
  /** Address of the edge. */
  edge: string;
  supply: PhotoSupply;
  /** Photos that the edge has captioned before. */
  known: readonly SentPhoto[];
  signal: AbortSignal;
}

export interface LoadRun {
  shape: Shape;
  seconds: number;
  /** Captions, and how many of them came from a cache. */
  answered: number;
  hits: number;
  refused: Partial<Record<ErrorCode, number>>;
  /** Why requests got no answer that anybody could use. */
  lost: string[];
  /** Latency of answers with a caption. */
  latencyMs: { p50: number; p99: number; max: number };
}

type Count = Pick<LoadRun, "answered" | "hits" | "refused" | "lost">;

/** Has a shape's clients ask for so many seconds, and looks at every answer. */
export async function generateLoad(
  shape: Shape,
  { seconds, ...target }: Target & { seconds: number },
): Promise<LoadRun> {
  const { signal, edge } = target;
  const count: Count = { answered: 0, hits: 0, refused: {}, lost: [] };
  const options = {
    url: `${edge}/v1/captions`,
    method: "POST",
    connections: shape.connections,
    duration: seconds,
    timeout: timeoutSeconds,
    excludeErrorStats: true,
    requests: requestsOf(shape, { ...target, count }),
  } as const;
  const { errors, requests, duration, latency } = await runToEnd(options, signal);
  if (errors > 0) count.lost.push(...Array<string>(errors).fill("no answer in time, or a broken connection"));
  const unheard = requests.sent - receivedOf(count) - shape.connections; // each may have one under way at the end
  if (unheard > 0) count.lost.push(...Array<string>(unheard).fill("a connection ended before the answer"));
  const { p50, p99, max } = latency;
  return { shape, seconds: duration, ...count, latencyMs: { p50, p99, max } };
}

function runToEnd(options: autocannon.Options, signal: AbortSignal): Promise<autocannon.Result> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => running.stop();
    const running = autocannon(options, (error, result) => {
      signal.removeEventListener("abort", stop);
      if (error !== null || signal.aborted) reject(error ?? signal.reason);
      else resolve(result);
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Answers of whatever kind. Those lost for having none come later. */
function receivedOf({ answered, refused, lost }: Count): number {
  return answered + lost.length + Object.values(refused).reduce((sum, times) => sum + times, 0);
}

function requestsOf({ round }: Shape, { supply, known, count }: Target & { count: Count }): autocannon.Request[] {
  const asked = new WeakMap<object, SentPhoto>(); // by a client's context: it asks one thing at a time
  let turn = 0;
  return round.map((kind) => ({
    headers: { "content-type": "image/jpeg" },
    setupRequest(request, context) {
      const photo = (kind === "known" ? known[turn++ % known.length] : undefined) ?? supply.next();
      asked.set(context, photo);
      return { ...request, body: Buffer.from(photo.bytes.buffer) };
    },
    onResponse(status, text, context, headers) {
      const reply = { status, text, headers: headersOf(headers) };
      const verdict = judgeReply(reply, { id: asked.get(context)?.id });
      if (verdict.kind === "lost") count.lost.push(verdict.why);
      else if (verdict.kind === "refused") count.refused[verdict.code] = (count.refused[verdict.code] ?? 0) + 1;
      else {
        count.answered += 1;
        if (verdict.isHit) count.hits += 1;
      }
    },
  }));
}

function headersOf(headers: autocannon.Request["headers"]): Headers {
  return new Headers(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}
