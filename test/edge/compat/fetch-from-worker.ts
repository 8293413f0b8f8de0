import { callWorker } from "../call-worker.ts";

/** Makes a `fetch` that asks the worker instead of the network, for other services' own clients. */
export function fetchFromWorker(environment: Record<string, unknown>): typeof fetch {
  const ask = async (address: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(address instanceof Request ? address : String(address), init);
    return callWorker(new URL(request.url).pathname, {
      method: request.method,
      headers: Object.fromEntries(request.headers),
      ...(request.body === null ? {} : { body: await request.arrayBuffer() }),
      environment,
    });
  };
  return ask as typeof fetch;
}

/** Encodes bytes in base64. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
