import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { host } from "./ports.ts";
import { ProcessGroup, repository } from "./process-group.ts";

const drainSeconds = 3;
const pollMs = 150;

interface ServerPlaces {
  edgePort: number;
  servicePort: number;
  /** The service's bundle; the one that ships where it is left out. */
  modelDir: string | undefined;
  /** Where the edge keeps its cache. */
  stateDir: string;
}

export interface LocalServers {
  edge: string;
  service: string;
  /** Resolves, saying why, when one of them has ended by itself. */
  died: Promise<Error>;
  stop(): Promise<void>;
}

/** Starts the service and the edge in front of it, which share a secret that nobody else has. */
export function startServers({ edgePort, servicePort, modelDir, stateDir }: ServerPlaces): LocalServers {
  const secret = randomBytes(32).toString("hex");
  const service = `http://${host}:${servicePort}`;
  const groups = [
    new ProcessGroup({
      name: "the service",
      args: ["--import", import.meta.resolve("tsx"), join(repository, "gpu-service/main.ts")],
      environment: {
        HOST: host,
        PORT: String(servicePort),
        SERVICE_SECRETS: secret,
        DRAIN_SECONDS: String(drainSeconds),
        ...(modelDir === undefined ? {} : { MODEL_DIR: modelDir }),
      },
    }),
    new ProcessGroup({
      name: "the edge",
      args: [join(repository, "node_modules/.bin/wrangler"), ...wranglerArguments({ edgePort, stateDir, service })],
      environment: {
        CLOUDFLARE_INCLUDE_PROCESS_ENV: "true", // for the secret, which everybody could read on its command line
        SERVICE_SECRET: secret,
        WRANGLER_SEND_METRICS: "false",
        CLOUDFLARE_CF_FETCH_ENABLED: "false", // it would ask the internet where we are
        WRANGLER_LOG_PATH: join(stateDir, "logs"),
        WRANGLER_REGISTRY_PATH: join(stateDir, "registry"),
      },
    }),
  ];
  return {
    edge: `http://${host}:${edgePort}`,
    service,
    died: Promise.race(groups.map(({ died }) => died)),
    async stop() {
      await Promise.all(groups.map((group) => group.stop()));
    },
  };
}

interface EdgeSettings {
  edgePort: number;
  stateDir: string;
  service: string;
}

function wranglerArguments({ edgePort, stateDir, service }: EdgeSettings): string[] {
  return [
    "dev",
    ...["--ip", host, "--port", String(edgePort), "--inspector-port", "0"],
    ...["--persist-to", stateDir, "--log-level", "error", "--show-interactive-dev-session=false"],
    ...["--var", `SERVICE_ORIGINS:${service}`],
  ];
}

/** Resolves when the edge says that it and the service behind it are ready. */
export async function waitUntilReady({ edge }: { edge: string }, signal: AbortSignal): Promise<void> {
  while (!(await isReady(edge, signal))) await setTimeout(pollMs, undefined, { signal });
}

async function isReady(edge: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${edge}/readyz`, { signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false; // nobody listens yet
  }
}
