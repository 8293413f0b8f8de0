import { createHash, randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Precision } from "../captioner/engine.ts";
import { decodeImage } from "../captioner/images/decode-image.ts";
import { signatureHeaders } from "../shared/signature.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { type Bench, type BenchResult, bareCaptions, benchInputs, inEachPrecision, timeInTurns } from "./bench.ts";
import { captionOver, startService } from "./running-service.ts";

const idlePhotos = 64;
const capacity = 16;
const clients = 10 * capacity;
const seconds = 15;
/** Between a client's requests, so that what is measured is the service and not this process's own queue. */
const pauseMs = 500;
const secret = randomBytes(32).toString("hex");

export const idleLatency: Bench = {
  name: "idle-latency",
  about: "a lone request to the service ÷ decoding its photo and a bare call; at most 1.1",
  run: () => inEachPrecision(measureIdle),
};

async function measureIdle(precision: Precision): Promise<BenchResult> {
  const inputs = await benchInputs(1, { precision });
  const { preprocessing } = inputs.bundle.manifest;
  const files = await madePhotos(idlePhotos);
  const service = await startService({ PRECISION: precision });
  const next = { ours: 0, peer: 0 };
  const take = (side: keyof typeof next) => files[next[side]++ % idlePhotos] ?? new Uint8Array();
  try {
    const { oursMs, peerMs } = await timeInTurns(idlePhotos, {
      ours: () => captionOver(service, take("ours")),
      async peer() {
        const { pixels } = await decodeImage(take("peer"), { preprocessing, maxPixels: 1e6 });
        await bareCaptions(inputs, [pixels]);
      },
    });
    const ms = (time: number) => `${time.toFixed(1)} ms`;
    return { number: oursMs / peerMs, ours: ms(oursMs), peer: ms(peerMs) };
  } finally {
    await Promise.all([service.stop(), inputs.engine.close()]);
  }
}

export const overloadRefusal: Bench = {
  name: "overload-refusal",
  about: "p99 of a refusal at ten times the capacity ÷ p99 of /livez under the same load; at most 2",
  async run() {
    const signed = (await madePhotos(64)).map(async (body) => ({ body, headers: await signedHeaders(body) }));
    const photos = await Promise.all(signed);
    const settings = { ALLOW_UNSIGNED: "false", SERVICE_SECRETS: secret };
    const service = await startService({ MAX_QUEUED: `${capacity}`, ...settings });
    const refusals: number[] = [];
    const probes: number[] = [];
    const endMs = performance.now() + seconds * 1000;
    const post = async (client: number) => {
      await setTimeout((pauseMs * client) / clients);
      for (let turn = client; performance.now() < endMs; turn++) {
        const { status, ms } = await timed(`${service.origin}/v1/captions`, {
          method: "POST",
          ...photos[turn % photos.length],
        });
        if (status === 503) refusals.push(ms);
        else if (status !== 200) throw new Error(`expected a caption or a refusal, received ${status}`);
        await setTimeout(pauseMs);
      }
    };
    const probe = async () => {
      while (performance.now() < endMs) {
        probes.push((await timed(`${service.origin}/livez`)).ms);
        await setTimeout(20);
      }
    };
    try {
      await Promise.all([...Array.from({ length: clients }, (_, client) => post(client)), probe(), probe()]);
      const [ours, peer] = [percentile99(refusals), percentile99(probes)];
      return {
        number: ours / peer,
        ours: `${ours.toFixed(1)} ms of ${refusals.length} refusals in ${service.precision}`,
        peer: `${peer.toFixed(1)} ms of ${probes.length} probes`,
      };
    } finally {
      await service.stop();
    }
  },
};

function signedHeaders(body: Uint8Array): Promise<Record<string, string>> {
  const bodyHash = new Uint8Array(createHash("sha256").update(body).digest());
  return signatureHeaders({ method: "POST", target: "/v1/captions", bodyHash }, { secret, nowMs: Date.now() });
}

async function timed(url: string, init: RequestInit = {}): Promise<{ status: number; ms: number }> {
  const begun = performance.now();
  const response = await fetch(url, init);
  const ms = performance.now() - begun;
  await response.arrayBuffer();
  return { status: response.status, ms };
}

function percentile99(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length * 0.99)] ?? Number.NaN;
}
