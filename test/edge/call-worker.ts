import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, inject, onTestFinished, vi } from "vitest";
import type { CaptionFlight } from "../../edge/caption-flight.ts";
import { isolateState } from "../../edge/isolate-state.ts";
import type { PhotoTombstone } from "../../edge/photo-tombstone.ts";
import worker from "../../edge/worker.ts";
import { type CaptionResult, captionResultSchema } from "../../shared/contract.ts";
import { type ErrorCode, errorFacts } from "../../shared/errors.ts";
import { type Problem, problemSchema } from "../../shared/problem.ts";
import type { FaultyServiceName, ImageName } from "./provided-context.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      CAPTIONS: KVNamespace;
      KEYS: KVNamespace;
      ASSETS: Fetcher;
      FLIGHTS: DurableObjectNamespace<CaptionFlight>;
      TOMBSTONES: DurableObjectNamespace<PhotoTombstone>;
    }
  }
}

interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: BodyInit;
  /** Settings and bindings that differ from the defaults; the default service is the real one. */
  environment?: Record<string, unknown>;
  host?: string;
  /** Another data centre, whose Cache API has none of the default one's entries. */
  dataCentre?: string;
}

/** Sends one request to the worker. Returns when its background work is done too. */
export async function callWorker(path: string, { environment, host = "edge.test", dataCentre, ...init }: Call = {}) {
  const context = createExecutionContext();
  const request = new Request(`https://${host}${path}`, init);
  const elsewhere = dataCentre === undefined ? {} : { TOMBSTONES: tombstonesFrom(dataCentre) };
  const response = await worker.fetch(request, { ...usualEnvironment(), ...elsewhere, ...environment }, context);
  await waitOnExecutionContext(context);
  return response;
}

/** Posts bytes with their `Content-Length`. */
export function postPhoto(
  bytes: Uint8Array<ArrayBuffer>,
  { query = "", headers, ...call }: Call & { query?: string } = {},
) {
  return callWorker(`/v1/captions${query}`, {
    method: "POST",
    body: bytes,
    headers: { "Content-Type": "image/jpeg", "Content-Length": String(bytes.length), ...headers },
    ...call,
  });
}

/** The settings and bindings of a request that names no others. */
export function usualEnvironment() {
  const service = { SERVICE_ORIGINS: inject("serviceOrigin"), SERVICE_SECRET: inject("serviceSecret") };
  const { CAPTIONS, KEYS, FLIGHTS, TOMBSTONES } = env;
  return { CAPTIONS, KEYS, FLIGHTS, TOMBSTONES, ...service };
}

/** Gives each data centre its own name for the near cache, which is made from an object's name, and the same objects. */
function tombstonesFrom(dataCentre: string) {
  return { getByName: (name: string) => env.TOMBSTONES.getByName(name), idFromName: () => dataCentre };
}

/** Starts a fresh isolate, which remembers nothing, while KV and the Cache API keep their entries. */
export function startFreshIsolate(): void {
  isolateState.revision = null;
  isolateState.origins.clear();
  isolateState.answeredAtMs.clear();
}

/** Starts a fresh deployment, whose KV knows no revision either. */
export async function startFreshDeployment(): Promise<void> {
  startFreshIsolate();
  await env.CAPTIONS.delete("model-revision");
}

/** Names services that are asked in this order instead of the real one. */
export function faultyService(...names: FaultyServiceName[]): { SERVICE_ORIGINS: string } {
  const origins = names.map((name) => present(inject("faultyServices")[name], name));
  return { SERVICE_ORIGINS: origins.join(",") };
}

export function image(name: ImageName): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(present(inject("images")[name], name)), (character) => character.charCodeAt(0));
}

/** Makes a photo that no cache has seen: the same picture with a new APP4 segment, which has no defined meaning. */
export function freshPhoto(): Uint8Array<ArrayBuffer> {
  return withSegment(image("photo"), { marker: 0xe4, content: crypto.randomUUID() });
}

/** Makes another file of the same photo, with a comment, as programs write captions into photos. */
export function withComment(jpeg: Uint8Array<ArrayBuffer>, content: string): Uint8Array<ArrayBuffer> {
  return withSegment(jpeg, { marker: 0xfe, content });
}

/** Makes a JPEG that EXIF rotates by 90 degrees: orientation 6, in a field of this TIFF type. SHORT is 3. */
export function withOrientation(jpeg: Uint8Array<ArrayBuffer>, type: number): Uint8Array<ArrayBuffer> {
  const field = `\x12\x01${String.fromCharCode(type)}\0\x01\0\0\0\x06\0\0\0`;
  return withSegment(jpeg, { marker: 0xe1, content: `Exif\0\0II*\0\x08\0\0\0\x01\0${field}\0\0\0\0` });
}

function withSegment(
  jpeg: Uint8Array<ArrayBuffer>,
  { marker, content }: { marker: number; content: string },
): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(content);
  return join([jpeg.subarray(0, 2), new Uint8Array([0xff, marker, 0, bytes.length + 2]), bytes, jpeg.subarray(2)]);
}

export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

export async function readCaption(response: Response): Promise<CaptionResult> {
  expect(response.status).toBe(200);
  return captionResultSchema.parse(await response.json());
}

/** Checks that a response is the contract's problem document for a code, and returns it. */
export async function readProblem(response: Response, code: ErrorCode): Promise<Problem> {
  const problem = problemSchema.parse(await response.json());
  expect(problem).toMatchObject({ code, status: errorFacts[code].status });
  expect(response.status).toBe(errorFacts[code].status);
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  expect(response.headers.get("X-Request-Id")).toBe(problem.requestId);
  return problem;
}

/** Collects the worker's warnings until the test ends, parsed, instead of showing them. */
export function watchWarnings(): () => unknown[] {
  return watchConsole("warn");
}

/** Collects what the worker logs at a level until the test ends. It is not shown, but still checked for secrets. */
export function watchConsole(level: "info" | "warn" | "error"): () => unknown[] {
  // biome-ignore lint/suspicious/noConsole: the run's reporter reads it
  const spy = vi.spyOn(console, level).mockImplementation((line) => console.debug(`watched: ${line}`));
  onTestFinished(() => spy.mockRestore());
  return () => spy.mock.calls.map(([line]) => JSON.parse(line));
}

function present<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the tests' setup provides no ${name}`);
  return value;
}
