import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { repository } from "../repository.ts";
import { withinTime } from "../within-time.ts";
import { wranglerProgram } from "../wrangler.ts";
import { host } from "./ports.ts";
import { type GroupCommand, type Listener, ProcessGroup } from "./process-group.ts";

const drainSeconds = 3;
const pollMs = 150;
/** How often the edge is asked whether it still answers, and how soon again where it did not. */
const watchMs = 5_000;
const askAgainMs = 1_000;
/** What an edge under load may take to say that it is well. */
const answerLimitMs = 5_000;
/** Questions without an answer, one after the other, after which nobody is there. */
const silentAnswers = 3;

interface ServerPlaces {
  edgePort: number;
  servicePort: number;
  /** The service's bundle; the one that ships where it is left out. */
  modelDir: string | undefined;
  /** Where the edge keeps its cache. */
  stateDir: string;
  /** Hears all that both write, the worker's log included. */
  listen?: Listener | undefined;
}

export interface LocalServers {
  edge: string;
  service: string;
  /** Process ids of what was started; each has children. */
  pids: { edge: number; service: number };
  /** Resolves, saying why, when one of them has ended by itself. */
  died: Promise<Error>;
  stop(): Promise<void>;
}

/** Starts the service and the edge in front of it, which share a secret that nobody else has. */
export function startServers({ edgePort, servicePort, modelDir, stateDir, listen }: ServerPlaces): LocalServers {
  const secret = randomBytes(32).toString("hex");
  const service = `http://${host}:${servicePort}`;
  const serviceGroup = new ProcessGroup({ ...serviceProgram({ port: servicePort, modelDir, secret }), listen });
  const edgeGroup = new ProcessGroup({
    ...edgeProgram({ port: edgePort, stateDir, service, secret, isLogged: listen !== undefined }),
    listen,
  });
  const groups = [serviceGroup, edgeGroup];
  return {
    edge: `http://${host}:${edgePort}`,
    service,
    pids: { edge: edgeGroup.pid, service: serviceGroup.pid },
    died: Promise.race(groups.map(({ died }) => died)),
    async stop() {
      await Promise.all(groups.map((group) => group.stop()));
    },
  };
}

interface ServiceSettings {
  port: number;
  modelDir: string | undefined;
  secret: string;
}

/** The service from this repository's sources. */
export function serviceProgram({ port, modelDir, secret }: ServiceSettings): GroupCommand {
  return {
    name: "the service",
    args: ["--import", import.meta.resolve("tsx"), join(repository, "gpu-service/main.ts")],
    environment: {
      HOST: host,
      PORT: String(port),
      SERVICE_SECRETS: secret,
      DRAIN_SECONDS: String(drainSeconds),
      ...(modelDir === undefined ? {} : { MODEL_DIR: modelDir }),
    },
  };
}

interface EdgeSettings {
  port: number;
  stateDir: string;
  /** Where the edge finds the service. */
  service: string;
  secret: string;
  /** The worker's variables beside those. */
  variables?: Record<string, string>;
  /** Whether it writes what the worker logs, and not only what goes wrong. */
  isLogged?: boolean;
}

/** Where `wrangler dev` writes besides its state: its own bundle, and the page that it has built. */
export const edgePlaces = [join(repository, ".wrangler"), join(repository, "dist")];

/** The worker in `wrangler dev`, in which nothing reaches out to the internet. */
export function edgeProgram({
  port,
  stateDir,
  service,
  secret,
  variables = {},
  isLogged = false,
}: EdgeSettings): GroupCommand {
  const vars = Object.entries({ SERVICE_ORIGINS: service, ...variables });
  return {
    name: "the edge",
    args: [
      wranglerProgram,
      "dev",
      ...["--ip", host, "--port", String(port), "--inspector-port", "0"],
      ...["--persist-to", stateDir, "--log-level", isLogged ? "log" : "error", "--show-interactive-dev-session=false"],
      ...vars.flatMap(([name, value]) => ["--var", `${name}:${value}`]),
    ],
    environment: {
      CLOUDFLARE_INCLUDE_PROCESS_ENV: "true", // for the secret, which everybody could read on its command line
      SERVICE_SECRET: secret,
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false", // it would ask the internet where we are
      WRANGLER_LOG_PATH: join(stateDir, "logs"),
      WRANGLER_REGISTRY_PATH: join(stateDir, "registry"),
    },
  };
}

/** Resolves when the edge says that it and the service behind it are ready. */
export async function waitUntilReady({ edge }: { edge: string }, signal: AbortSignal): Promise<void> {
  while (!(await isWell(`${edge}/readyz`, signal))) await setTimeout(pollMs, undefined, { signal });
}

/**
 * Resolves, saying so, when the edge has stopped answering, or undefined at the signal. wrangler goes on as if nothing had
 * happened where the runtime that it has started (workerd) ends or hangs.
 */
export async function untilSilent({ edge }: { edge: string }, signal: AbortSignal): Promise<Error | undefined> {
  let unanswered = 0;
  while (!signal.aborted && unanswered < silentAnswers) {
    await setTimeout(unanswered === 0 ? watchMs : askAgainMs, undefined, { signal }).catch(() => undefined);
    const ask = (limited: AbortSignal) => isWell(`${edge}/healthz`, limited);
    const isThere = await withinTime({ ms: answerLimitMs, signal }, ask).catch(() => false);
    unanswered = isThere ? 0 : unanswered + 1;
  }
  return signal.aborted
    ? undefined
    : new Error("the edge does not answer any more: its runtime, workerd, ended or hangs");
}

/** Whether an address answers with success; false also where nobody listens. Throws at the signal. */
export async function isWell(address: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(address, { signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
