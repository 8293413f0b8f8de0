import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withinTime } from "../within-time.ts";
import { type LocalServers, preferFree, startServers, waitUntilReady } from "./local-servers.ts";
import type { Listener } from "./process-group.ts";

const startLimitMs = 120_000;

interface DeploymentSettings {
  /** The service's bundle. */
  modelDir: string;
  /** Any free port where it is left out. */
  edgePort?: number;
  /** Where the edge keeps its cache; a folder that is removed at the end where it is left out. */
  stateDir?: string;
  listen?: Listener | undefined;
  /** Ends the start. */
  signal?: AbortSignal;
}

export interface Deployment extends LocalServers {
  stateDir: string;
}

/** The whole product as `npm start` runs it, on free ports, for tests and measurements. Resolves when it is ready; ends what it started where it is not. */
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
