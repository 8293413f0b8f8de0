import { startDeployment } from "../scripts/start/local-servers.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { type Bench, timeInTurns } from "./bench.ts";

const rounds = 300;
const photoBytes = 100_000;
const tinyBundle = "test/fixtures/tiny-bundle"; // the model is not part of what is measured

export const edgeHit: Bench = {
  name: "edge-hit",
  about: "a POST of a cached 100 kB photo ÷ /healthz of the same worker, medians; at most 3",
  async run() {
    const servers = await startDeployment({ modelDir: tinyBundle });
    try {
      const { oursMs, peerMs } = await timeHits(servers.edge);
      const number = oursMs / peerMs;
      return { number, ours: `${oursMs.toFixed(2)} ms a cached photo`, peer: `${peerMs.toFixed(2)} ms for /healthz` };
    } finally {
      await servers.stop();
    }
  },
};

async function timeHits(edge: string): Promise<{ oursMs: number; peerMs: number }> {
  const photo = await photoOf(photoBytes);
  const post = () => ask(`${edge}/v1/captions`, { method: "POST", body: photo });
  await post();
  return timeInTurns(rounds, {
    async ours() {
      const cacheStatus = (await post()).headers.get("Cache-Status") ?? "";
      if (!cacheStatus.includes("hit")) throw new Error(`expected a hit, received ${cacheStatus}`);
    },
    peer: () => ask(`${edge}/healthz`),
  });
}

async function ask(address: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(address, init);
  if (!response.ok)
    throw new Error(`expected 200 of ${address}, received ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
  return response;
}

/** Makes a JPEG of exactly so many bytes: decoders ignore what follows the end of the image. */
async function photoOf(bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const [jpeg = new Uint8Array()] = await madePhotos(1);
  if (jpeg.length > bytes) throw new Error(`expected a photo of at most ${bytes} bytes, received ${jpeg.length}`);
  const photo = new Uint8Array(bytes);
  photo.set(jpeg);
  return photo;
}
