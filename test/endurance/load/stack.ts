import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalServers, startServers, waitUntilReady } from "../../../scripts/start/local-servers.ts";
import type { Listener } from "../../../scripts/start/process-group.ts";
import { withinTime } from "../../../scripts/within-time.ts";
import { freePort } from "../../free-port.ts";
import type { Target } from "./fire.ts";
import { judgeReply } from "./judge-reply.ts";
import { PhotoSupply } from "./photo-supply.ts";

const startLimitMs = 120_000;
const paintedPhotos = 64;
const knownPhotos = 16;

/** What `npm start` brings up, on free ports and an empty cache, with some photos in it that the edge has captioned. */
export async function withStack<T>(
  { modelDir, signal, listen }: { modelDir: string; signal: AbortSignal; listen?: Listener },
  use: (stack: { target: Target; servers: LocalServers }) => Promise<T>,
): Promise<T> {
  const supply = await PhotoSupply.of(paintedPhotos);
  const stateDir = await mkdtemp(join(tmpdir(), "load-"));
  const [edgePort, servicePort] = [await freePort(), await freePort()];
  const servers = startServers({ edgePort, servicePort, modelDir, stateDir, listen });
  const ending = new AbortController();
  void servers.died.then((reason) => ending.abort(reason));
  const either = AbortSignal.any([signal, ending.signal]);
  try {
    await withinTime({ ms: startLimitMs, signal: either }, (limited) => waitUntilReady(servers, limited));
    const target = { edge: servers.edge, supply, known: await knownTo(servers.edge, supply, either), signal: either };
    return await use({ target, servers });
  } catch (error) {
    throw either.aborted ? either.reason : error;
  } finally {
    await servers.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function knownTo(edge: string, supply: PhotoSupply, signal: AbortSignal): Promise<Target["known"]> {
  const photos = Array.from({ length: knownPhotos }, () => supply.next());
  for (const { bytes, id } of photos) {
    const response = await fetch(`${edge}/v1/captions`, { method: "POST", body: bytes, signal });
    const { status, headers } = response;
    const verdict = judgeReply({ status, headers, text: await response.text() }, { id });
    if (verdict.kind !== "answered") throw new Error(`expected a caption, received ${JSON.stringify(verdict)}`);
  }
  return photos;
}
