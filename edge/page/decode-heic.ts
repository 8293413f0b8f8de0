import { defaultMaxAvifPixels } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import { expectFewPixels, readImageHeader } from "../../shared/image-header.ts";
import type { DecodedHeic } from "./heic-decoder.ts";

declare global {
  /** Trusted Types, which not every browser has. */
  var trustedTypes: undefined | { createPolicy(name: string, rules: ScriptRules): ScriptRules };
}

/** What makes an address one that may be run; in truth it returns an object that `Worker` takes for a string. */
interface ScriptRules {
  createScriptURL(address: string): string;
}

/** The only script that the policy of this name lets through. */
const decoderAddress = document.body.dataset.heicDecoder ?? "";
const policy = globalThis.trustedTypes?.createPolicy("heic-decoder", { createScriptURL: () => decoderAddress });

/**
 * Decodes a HEIC photo, upright, in a worker that is loaded for it. Throws a `CaptionError` that says why a photo cannot be
 * decoded, or that the decoder could not be loaded.
 */
export async function decodeHeic(bytes: Uint8Array<ArrayBuffer>): Promise<ImageBitmap> {
  const pixels = { maxPixels: defaultMaxAvifPixels };
  expectFewPixels(readImageHeader(bytes, { allowHeic: true }), pixels);
  const worker = new Worker(policy?.createScriptURL("") ?? decoderAddress, { type: "module" });
  try {
    const decoded = await new Promise<DecodedHeic>((resolve, reject) => {
      worker.addEventListener("message", ({ data }) => resolve(data));
      worker.addEventListener("error", ({ message }) => reject(notLoaded(message)));
      worker.postMessage(bytes, [bytes.buffer]);
    });
    if ("bitmap" in decoded) return decoded.bitmap;
    throw new CaptionError("invalid_image", `this HEIC photo cannot be decoded: ${decoded.failure}`);
  } finally {
    worker.terminate();
  }
}

function notLoaded(cause: string): CaptionError {
  return new CaptionError("upstream_error", "the decoder for HEIC photos could not be loaded", { cause });
}
