import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalServers, startServers, waitUntilReady } from "../../scripts/start/local-servers.ts";
import { freePort } from "../free-port.ts";
import { keepOutput } from "../kept-output.ts";

/** The worker in Cloudflare's runtime in front of the real service on the tiny bundle, as `npm start` runs them. */
export async function startEdge(): Promise<Pick<LocalServers, "edge" | "stop"> & { stateDir: string }> {
  const stateDir = await mkdtemp(join(tmpdir(), "edge-"));
  const [edgePort, servicePort] = [await freePort(), await freePort()];
  const modelDir = "test/fixtures/tiny-bundle";
  const servers = startServers({ edgePort, servicePort, modelDir, stateDir, listen: keepOutput });
  await waitUntilReady(servers, AbortSignal.timeout(60_000));
  return {
    edge: servers.edge,
    stateDir,
    async stop() {
      await servers.stop();
      await rm(stateDir, { recursive: true });
    },
  };
}
