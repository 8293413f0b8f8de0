import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { withinTime } from "../../../scripts/within-time.ts";
import { judgeReply, type Verdict } from "../load/judge-reply.ts";
import type { PhotoSupply, SentPhoto } from "../load/photo-supply.ts";
import { shortened } from "./test-deployment.ts";

/** Longer than the edge's limit for a caption, with time for sending it. */
const deadlineMs = shortened.captionMs + 4_000;

type PhotoKind = "known" | "new";

export interface LoadedRequest {
  kind: PhotoKind;
  /** The photo's id. */
  photo: string;
  begunMs: number;
  endedMs: number;
  verdict: Verdict | { kind: "cut off" };
}

interface SteadyLoadPlan {
  /** Address of the edge. */
  edge: string;
  supply: PhotoSupply;
  /** Number of photos captioned beforehand, each of which is sent repeatedly. */
  knownPhotos: number;
  /** Requests per second, whatever becomes of the previous ones. */
  perSecond: Record<PhotoKind, number>;
  wasEdgeAway(time: { begunMs: number; endedMs: number }): boolean;
}

/** Uploads photos at a steady pace, ones that the edge knows and new ones, and records the result of each. */
export class SteadyLoad {
  /** Requests that have ended. */
  readonly requests: LoadedRequest[] = [];
  readonly #plan: SteadyLoadPlan;
  readonly #known: readonly SentPhoto[];
  readonly #underWay = new Set<Promise<void>>();
  /** Opens a connection per request: the other side may close a kept one at the moment it is used again. */
  readonly #agent = new Agent({ keepAlive: false });
  #turn = 0;

  readonly #closing = new AbortController();
  #timers: readonly NodeJS.Timeout[] = [];

  private constructor(plan: SteadyLoadPlan, known: readonly SentPhoto[]) {
    this.#plan = plan;
    this.#known = known;
  }

  /** Has the known photos captioned, then starts the load. Throws if a caption fails. */
  static async start(plan: SteadyLoadPlan): Promise<SteadyLoad> {
    const known = Array.from({ length: plan.knownPhotos }, () => plan.supply.next());
    const load = new SteadyLoad(plan, known);
    for (const photo of known) {
      const verdict = await load.#upload(photo);
      if (verdict.kind === "answered") continue;
      throw new Error(`expected a caption before anything was broken, received ${JSON.stringify(verdict)}`);
    }
    load.#timers = (["known", "new"] as const).map((kind) =>
      setInterval(() => load.#begin(kind), 1000 / plan.perSecond[kind]),
    );
    return load;
  }

  /** Stops sending, and resolves when all requests have ended. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#underWay);
    this.#agent.destroy();
  }

  /** The same, without waiting for anybody. */
  async abandon(): Promise<void> {
    this.#closing.abort();
    await this.stop();
  }

  #begin(kind: PhotoKind): void {
    const run = this.#send(kind).finally(() => this.#underWay.delete(run));
    this.#underWay.add(run);
  }

  async #send(kind: PhotoKind): Promise<void> {
    const photo = kind === "new" ? this.#plan.supply.next() : this.#known[this.#turn++ % this.#known.length];
    if (photo === undefined) throw new Error("expected a known photo");
    const begunMs = performance.now();
    const verdict = await this.#upload(photo);
    const endedMs = performance.now();
    const isCutOff = verdict.kind === "lost" && this.#plan.wasEdgeAway({ begunMs, endedMs });
    this.requests.push({ kind, photo: photo.id, begunMs, endedMs, verdict: isCutOff ? { kind: "cut off" } : verdict });
  }

  #upload(photo: SentPhoto): Promise<Verdict> {
    const limits = { ms: deadlineMs, signal: this.#closing.signal };
    return withinTime(limits, (signal) => this.#uploadUntil(signal, photo));
  }

  async #uploadUntil(signal: AbortSignal, { bytes, id }: SentPhoto): Promise<Verdict> {
    const headers = { "Content-Type": "image/jpeg", "Content-Length": bytes.length };
    try {
      const address = `${this.#plan.edge}/v1/captions`;
      const upload = request(address, { method: "POST", agent: this.#agent, headers, signal });
      upload.on("error", () => undefined); // one that comes behind the answer's head is the answer's, too
      upload.end(bytes);
      const [response] = (await once(upload, "response")) as [IncomingMessage];
      return judgeReply(
        {
          status: response.statusCode ?? 0,
          headers: headersOf(response),
          text: await text(response),
        },
        { id },
      );
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { kind: "lost", why: signal.aborted ? `no answer within ${deadlineMs} ms` : why };
    }
  }
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  return new Headers(Object.entries(headersDistinct).map(([name, values]) => [name, values?.join(", ") ?? ""]));
}
