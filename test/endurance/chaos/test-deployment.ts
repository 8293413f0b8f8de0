import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { KeptProcess } from "../../../scripts/start/kept-process.ts";
import { edgeProgram, host, isWell, serviceProgram, waitUntilReady } from "../../../scripts/start/local-servers.ts";
import { type GroupCommand, ProcessGroup } from "../../../scripts/start/process-group.ts";
import { withinTime } from "../../../scripts/within-time.ts";
import { modelCardSchema } from "../../../shared/contract.ts";
import { freePort } from "../../support/free-port.ts";
import { childrenOf } from "../../support/process-table.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/** Shorter than by default, so that faults need not last for minutes. */
export const shortened = {
  /** The edge's `UPSTREAM_TIMEOUT_MS`. */
  captionMs: 8_000,
  /** The edge's `ORIGIN_REST_SECONDS`. */
  restSeconds: 3,
  /** The service's `ENGINE_TIMEOUT_MS`. */
  engineTimeoutMs: 5_000,
  /** The edge's `JOBS_RESEND_SECONDS`. */
  resendSeconds: 5,
} as const;

/** Real hosts wait longer after each failure; here the pause is always the same. */
const hosted = { pauseMs: () => 1_000, maxEndsAtOnce: Number.POSITIVE_INFINITY };
const startLimitMs = 60_000;
const pollMs = 100;

export interface TestDeploymentSettings {
  modelDir: string;
  /** Where the edge keeps its cache, and what jobs read and know. */
  stateDir: string;
  /** Changes the command that starts the service. */
  service?: (program: GroupCommand) => GroupCommand;
  signal: AbortSignal;
}

interface Service {
  kept: KeptProcess;
  origin: string;
  port: number;
}

/**
 * The product under test: the edge, the service after a TCP proxy, and a host that starts the service again when it ends.
 * Faults change the service's command, add services and kill the edge, which `startDeployment` has no use for.
 */
export class TestDeployment {
  readonly proxy: TcpProxy;
  readonly #settings: TestDeploymentSettings;
  readonly #secret = randomBytes(32).toString("hex");
  readonly #edgePort: number;
  readonly #services: Service[] = [];
  #edge: ProcessGroup | undefined;
  /** Periods in which the edge was down. */
  readonly #edgeGaps: { fromMs: number; toMs: number }[] = [];

  private constructor(settings: TestDeploymentSettings, { proxy, edgePort }: { proxy: TcpProxy; edgePort: number }) {
    this.#settings = settings;
    this.proxy = proxy;
    this.#edgePort = edgePort;
  }

  /** Resolves when a photo can be captioned. */
  static async start(settings: TestDeploymentSettings): Promise<TestDeployment> {
    const [edgePort, servicePort] = [await freePort(), await freePort()];
    const deployment = new TestDeployment(settings, { proxy: await TcpProxy.to(servicePort), edgePort });
    try {
      await mkdir(settings.stateDir, { recursive: true });
      deployment.#startService(settings.modelDir, servicePort);
      deployment.#edge = deployment.#startEdge();
      await deployment.#untilReady(deployment.edge);
      return deployment;
    } catch (error) {
      await deployment.stop();
      throw error;
    }
  }

  get edge(): string {
    return `http://${host}:${this.#edgePort}`;
  }

  /** The service that was started first. */
  get service(): Service {
    const [service] = this.#services;
    if (service === undefined) throw new Error("expected a service to have been started");
    return service;
  }

  /** The process id of the service's engine: its last child, after the process that translates TypeScript. */
  get engine(): number {
    const engine = childrenOf(this.service.kept.pid).at(-1);
    if (engine === undefined) throw new Error("expected the service to have an engine, found none");
    return engine;
  }

  /** Starts another service of a model, which gets no requests yet. */
  async startBeside(modelDir: string): Promise<Service> {
    return this.#startService(modelDir, await freePort());
  }

  /** Resolves when the service accepts photos. */
  async untilReady({ origin }: Service): Promise<void> {
    await this.#untilReady(origin);
  }

  /** Kills the edge with all that it has started, and starts it again with its stored cache. */
  async restartEdge(): Promise<void> {
    const gap = { fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY };
    this.#edgeGaps.push(gap);
    this.#edge?.signal("SIGKILL");
    await this.#edge?.stop();
    this.#edge = this.#startEdge();
    await this.#withinStart(async (signal) => {
      while (!(await isWell(`${this.edge}/healthz`, signal))) await setTimeout(pollMs, undefined, { signal });
    });
    gap.toMs = performance.now();
  }

  /** Whether the edge was down at any time during a period. */
  wasEdgeAway({ begunMs, endedMs }: { begunMs: number; endedMs: number }): boolean {
    return this.#edgeGaps.some(({ fromMs, toMs }) => begunMs <= toMs && endedMs >= fromMs);
  }

  /** Reads one of the service's metrics; 0 if it is absent. */
  async metric(name: string): Promise<number> {
    const address = `${this.service.origin}/metrics`;
    const text = await this.#withinStart(async (signal) => (await fetch(address, { signal })).text());
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  }

  /** Reads the revision in a service's answers, which includes its precision. */
  async revisionOf({ origin }: Service): Promise<string> {
    const card = await this.#withinStart(async (signal) => (await fetch(`${origin}/v1/model`, { signal })).json());
    return modelCardSchema.parse(card).revision;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#edge?.stop(), ...this.#services.map(({ kept }) => kept.stop())]);
    await this.proxy.close();
  }

  async #untilReady(origin: string): Promise<void> {
    try {
      await this.#withinStart((signal) => waitUntilReady({ edge: origin }, signal));
    } catch (cause) {
      this.#settings.signal.throwIfAborted();
      const endings = this.#services.flatMap(({ kept }) => kept.endings);
      throw new Error([`${origin} was not ready within ${startLimitMs / 1000} s`, ...endings].join("; "), { cause });
    }
  }

  #withinStart<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    return withinTime({ ms: startLimitMs, signal: this.#settings.signal }, work);
  }

  #startService(modelDir: string, port: number): Service {
    const { args, environment, ...program } = serviceProgram({ port, modelDir, secret: this.#secret });
    const settings = { ...environment, ENGINE_TIMEOUT_MS: String(shortened.engineTimeoutMs), LOG_LEVEL: "silent" };
    const change = this.#settings.service ?? ((unchanged) => unchanged);
    const kept = new KeptProcess(change({ ...program, args, environment: settings }), hosted);
    const service = { kept, port, origin: `http://${host}:${port}` };
    this.#services.push(service);
    return service;
  }

  #startEdge(): ProcessGroup {
    return new ProcessGroup(
      edgeProgram({
        port: this.#edgePort,
        stateDir: this.#settings.stateDir,
        service: this.proxy.origin,
        secret: this.#secret,
        variables: {
          UPSTREAM_TIMEOUT_MS: String(shortened.captionMs),
          ORIGIN_REST_SECONDS: String(shortened.restSeconds),
          JOBS_RESEND_SECONDS: String(shortened.resendSeconds),
        },
      }),
    );
  }
}
