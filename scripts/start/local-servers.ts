import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { repository } from "../repository.ts";
import { withinTime } from "../within-time.ts";
import { KeptProcess } from "./kept-process.ts";
import { type GroupCommand, type Listener, ProcessGroup } from "./process-group.ts";

const drainSeconds = 3;
const pollMs = 150;
/** How an edge that ended is started again: after a longer pause each time it ends at once, and not after the fourth. */
const edgeKeeping = { pauseMs: (endsAtOnce: number) => 500 * 2 ** endsAtOnce, maxEndsAtOnce: 4 };

const startLimitMs = 120_000;

interface ServerPlaces {
  edgePort: number;
  servicePort: number;
  /** The service's bundle; the one that ships if it is left out. */
  modelDir: string | undefined;
  /** Where the edge keeps its cache. */
  stateDir: string;
  /** The worker's variables in addition to its services and its secret. */
  variables?: Record<string, string>;
  /** Receives all that both write, the worker's log included. */
  listen?: Listener | undefined;
  /** Called with the reason for an end of the edge, before its next start. */
  onEdgeRestart?: ((reason: Error) => void) | undefined;
}

export interface LocalServers {
  edge: string;
  service: string;
  /** Process ids of the two programs; each has children. */
  pids: { edge: number; service: number };
  /** Resolves with the reason when the service ends by itself, or the edge repeatedly. */
  died: Promise<Error>;
  stop(): Promise<void>;
}

/** Starts the service and the edge in front of it, which share a random secret. */
export function startServers({
  edgePort,
  servicePort,
  modelDir,
  stateDir,
  variables = {},
  listen,
  onEdgeRestart,
}: ServerPlaces): LocalServers {
  const secret = randomBytes(32).toString("hex");
  const service = `http://${host}:${servicePort}`;
  const serviceGroup = new ProcessGroup({ ...serviceProgram({ port: servicePort, modelDir, secret }), listen });
  const edge = edgeProgram({ port: edgePort, stateDir, service, secret, variables, isLogged: listen !== undefined });
  const keptEdge = new KeptProcess(
    { ...edge, listen },
    { ...edgeKeeping, ...(onEdgeRestart && { onRestart: onEdgeRestart }) },
  );
  return {
    edge: `http://${host}:${edgePort}`,
    service,
    pids: {
      get edge() {
        return keptEdge.pid;
      },
      service: serviceGroup.pid,
    },
    died: Promise.race([serviceGroup.died, keptEdge.givenUp]),
    async stop() {
      await Promise.all([serviceGroup.stop(), keptEdge.stop()]);
    },
  };
}

interface ServiceSettings {
  port: number;
  modelDir: string | undefined;
  secret: string;
}

/** Returns the command that runs the service from this repository's sources. */
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
  /** The worker's other variables. */
  variables?: Record<string, string>;
  /** Whether it writes the worker's whole log, and not only errors. */
  isLogged?: boolean;
}

/** Folders that the edge writes to besides its state: the built page. */
export const edgePlaces = [join(repository, "dist")];

/** Returns the command that runs the worker in Cloudflare's runtime, without access to the internet. */
export function edgeProgram({
  port,
  stateDir,
  service,
  secret,
  variables = {},
  isLogged = false,
}: EdgeSettings): GroupCommand {
  const vars = Object.entries({ SERVICE_ORIGINS: service, SOURCE_HOSTS: "none", ...variables });
  return {
    name: "the edge",
    args: [
      ...["--import", import.meta.resolve("tsx"), join(repository, "scripts/start/run-edge.ts")],
      ...["--ip", host, "--port", String(port)],
      ...["--persist-to", stateDir, "--log-level", isLogged ? "log" : "error"],
      ...vars.flatMap(([name, value]) => ["--var", `${name}:${value}`]),
    ],
    environment: {
      SERVICE_SECRET: secret, // on the command line everybody could read it
    },
  };
}

/** Resolves when the edge reports that it and the service are ready. */
export async function waitUntilReady({ edge }: { edge: string }, signal: AbortSignal): Promise<void> {
  while (!(await isWell(`${edge}/readyz`, signal))) await setTimeout(pollMs, undefined, { signal });
}

/** Whether an address answers with success; false also if nothing listens there. Throws when the signal aborts. */
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

export const host = "127.0.0.1";

/** Returns the port if it is free; otherwise throws a sentence. 0 gives any free port. */
export async function expectFree(port: number, { option }: { option: string }): Promise<number> {
  const free = await freePort(port);
  if (free !== undefined) return free;
  throw new Error(`port ${port} is taken: stop what listens there, or choose another with ${option} (0 takes any)`);
}

/** Returns the port if it is free, otherwise any other. */
export async function preferFree(port: number): Promise<number> {
  return (await freePort(port)) ?? expectFree(0, { option: "" });
}

async function freePort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    await once(server.listen({ host, port }), "listening");
  } catch {
    return undefined;
  }
  const address = server.address();
  await once(server.close(), "close");
  return typeof address === "object" ? address?.port : undefined;
}

interface DeploymentSettings {
  /** The service's bundle. */
  modelDir: string;
  /** Any free port if it is left out. */
  edgePort?: number;
  /** Where the edge keeps its cache; a folder that is removed at the end if it is left out. */
  stateDir?: string;
  listen?: Listener | undefined;
  /** Aborts the start. */
  signal?: AbortSignal;
}

export interface Deployment extends LocalServers {
  stateDir: string;
}

/** Starts the whole product as `npm start` does, on free ports, for tests and measurements. Resolves when it is ready; otherwise ends what it started. */
export async function startDeployment({ signal, ...settings }: DeploymentSettings): Promise<Deployment> {
  const stateDir = settings.stateDir ?? (await mkdtemp(join(tmpdir(), "deployment-")));
  const servers = startServers({
    edgePort: settings.edgePort ?? (await preferFree(0)),
    servicePort: await preferFree(0),
    modelDir: settings.modelDir,
    stateDir,
    listen: settings.listen,
  });
  const stop = async () => {
    await servers.stop();
    if (settings.stateDir === undefined) await rm(stateDir, { recursive: true, force: true });
  };
  const ending = new AbortController();
  void servers.died.then((reason) => ending.abort(reason));
  const either = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
  try {
    await withinTime({ ms: startLimitMs, signal: either }, (limited) => waitUntilReady(servers, limited));
  } catch (error) {
    await stop();
    throw either.aborted ? either.reason : error;
  }
  return { ...servers, stateDir, stop };
}
