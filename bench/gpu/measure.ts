import type { EngineProcess } from "../../captioner/engines/engine-process.ts";
import { defaultCaptionOptions } from "../../shared/contract.ts";
import { timeInTurns } from "../bench.ts";

const rounds = 3;

interface Sides {
  name: string;
  engine: EngineProcess;
  peer: EngineProcess;
  /** One batch, decoded. */
  photos: readonly Uint8Array[];
}

/** Captions the batch on both, the way to the engines' processes counted; a line as the other benches print. */
export async function measure({ name, engine, peer, photos }: Sides): Promise<string> {
  const pixels = Buffer.concat(photos);
  const options = photos.map(() => defaultCaptionOptions);
  const { oursMs, peerMs } = await timeInTurns(rounds, {
    ours: () => engine.caption(pixels, options),
    peer: () => peer.caption(pixels, options),
  });
  const speed = (ms: number) => `${((photos.length / ms) * 1000).toFixed(1)} photos a second`;
  const { device } = engine.identity;
  const times = (peerMs / oursMs).toFixed(2);
  return `gpu-captions-${name}-${photos.length}: ${times} (ours ${speed(oursMs)} on ${device}, peer ${speed(peerMs)} on the CPU)`;
}
