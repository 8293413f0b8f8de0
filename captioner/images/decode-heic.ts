import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** Pixels as libheif gives them, upright. */
export interface HeicImage {
  /** uint8 [height, width, 4], RGBA. */
  pixels: Uint8Array<ArrayBuffer>;
  width: number;
  height: number;
}

/**
 * Decodes the primary image of a HEIC or HEIF file, through libheif compiled to WebAssembly. Each photo has a thread of its
 * own: a phone's photo blocks it for a second, and WebAssembly gives memory back only with its thread.
 */
export async function decodeHeic(bytes: Uint8Array): Promise<HeicImage> {
  const worker = new Worker(new URL("./heic-worker.js", import.meta.url), {
    workerData: bytes,
    execArgv: [], // what loads TypeScript need not be loaded there
    stdout: true, // libheif prints what it does not like
    stderr: true,
  });
  try {
    const [image] = (await once(worker, "message")) as [HeicImage]; // the thread says nothing else
    return image;
  } finally {
    await worker.terminate();
  }
}
