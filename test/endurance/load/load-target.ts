import { type LocalServers, startDeployment } from "../../../scripts/start/local-servers.ts";
import type { Listener } from "../../../scripts/start/process-group.ts";
import { judgeReply } from "./judge-reply.ts";
import type { Target } from "./load-generator.ts";
import { PhotoSupply } from "./photo-supply.ts";

const paintedPhotos = 64;
const knownPhotos = 16;

/** Starts what `npm start` does on an empty cache, has the edge caption some photos, and ends it after use. */
export async function withLoadTarget<T>(
  { modelDir, signal, listen }: { modelDir: string; signal: AbortSignal; listen?: Listener },
  use: (deployment: { target: Target; servers: LocalServers }) => Promise<T>,
): Promise<T> {
  const supply = await PhotoSupply.of(paintedPhotos);
  const servers = await startDeployment({ modelDir, listen, signal });
  const ending = new AbortController();
  void servers.died.then((reason) => ending.abort(reason));
  const either = AbortSignal.any([signal, ending.signal]);
  try {
    const target = { edge: servers.edge, supply, known: await knownTo(servers.edge, supply, either), signal: either };
    return await use({ target, servers });
  } catch (error) {
    throw either.aborted ? either.reason : error;
  } finally {
    await servers.stop();
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
