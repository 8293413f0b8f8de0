import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServers, waitUntilReady } from "../../scripts/start/local-servers.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { freePort } from "../free-port.ts";
import { keepOutput } from "../kept-output.ts";

export interface Deployment {
  origin: string;
  stop(): Promise<void>;
}

let visitors = 0;

/** The address of a visitor of its own, for `CF-Connecting-IP`: the rate limit counts by address. */
export function visitorAddress(): string {
  visitors += 1;
  return `198.51.100.${visitors}`;
}

/** The whole product on free ports, as `npm start` runs it: the page, the worker and the real service on the tiny bundle. */
export async function startDeployment(): Promise<Deployment> {
  const stateDir = await mkdtemp(join(tmpdir(), "deployment-"));
  const servers = startServers({
    edgePort: await freePort(),
    servicePort: await freePort(),
    modelDir: tinyBundle,
    stateDir,
    listen: keepOutput,
  });
  const starting = new AbortController();
  void servers.died.then((reason) => starting.abort(reason));
  await waitUntilReady(servers, starting.signal);
  return {
    origin: servers.edge,
    async stop() {
      await servers.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
