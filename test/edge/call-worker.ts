import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, inject, onTestFinished, vi } from "vitest";
import type { CaptionFlight } from "../../edge/caption-flight.ts";
import { isolateState } from "../../edge/isolate-state.ts";
import type { PhotoTombstone } from "../../edge/photo-tombstone.ts";
import worker from "../../edge/worker.ts";
import { type CaptionResult, captionResultSchema } from "../../shared/contract.ts";
import { type ErrorCode, errorCodes } from "../../shared/errors.ts";
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
  /** Settings and bindings other than the usual ones; the usual service is the real one. */
  environment?: Record<string, unknown>;
  host?: string;
  /** Another than the usual one, whose Cache API holds none of its entries. */
  dataCentre?: string;
}

/** One request to the worker; returns when its background work is done too. */
export async function callWorker(path: string, { environment, host = "edge.test", dataCentre, ...init }: Call = {}) {
  const context = createExecutionContext();
  const request = new Request(`https://${host}${path}`, init);
  const elsewhere = dataCentre === undefined ? {} : { TOMBSTONES: tombstonesFrom(dataCentre) };
  const response = await worker.fetch(request, { ...usualEnvironment(), ...elsewhere, ...environment }, context);
  await waitOnExecutionContext(context);
  return response;
}

/** Posts bytes as a client does that knows how many there are. */
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

function usualEnvironment() {
  const service = { SERVICE_ORIGINS: inject("serviceOrigin"), SERVICE_SECRET: inject("serviceSecret") };
  const { CAPTIONS, KEYS, FLIGHTS, TOMBSTONES } = env;
  return { CAPTIONS, KEYS, FLIGHTS, TOMBSTONES, ...service };
}

/** The same objects for every data centre; the name of the near cache, which is made of theirs, is its own. */
function tombstonesFrom(dataCentre: string) {
  return { getByName: (name: string) => env.TOMBSTONES.getByName(name), idFromName: () => dataCentre };
}

/** An isolate that has just started: it remembers nothing, while KV and the Cache API keep what they hold. */
export function startFreshIsolate(): void {
  isolateState.revision = null;
  isolateState.origins.clear();
  isolateState.answeredAtMs.clear();
}

/** A deployment that has just started: KV knows no revision either. */
export async function startFreshDeployment(): Promise<void> {
  startFreshIsolate();
  await env.CAPTIONS.delete("model-revision");
}

/** Services to ask in this order in place of the real one. */
export function faultyService(...names: FaultyServiceName[]): { SERVICE_ORIGINS: string } {
  const origins = names.map((name) => present(inject("faultyServices")[name], name));
  return { SERVICE_ORIGINS: origins.join(",") };
}

export function image(name: ImageName): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(present(inject("images")[name], name)), (character) => character.charCodeAt(0));
}

/** A photo that no cache has seen: the same picture with a segment of its own (APP4), which may mean anything. */
export function freshPhoto(): Uint8Array<ArrayBuffer> {
  return withSegment(image("photo"), { marker: 0xe4, content: crypto.randomUUID() });
}

/** The same photo in another file: with a comment, as programs write captions into photos. */
export function withComment(jpeg: Uint8Array<ArrayBuffer>, content: string): Uint8Array<ArrayBuffer> {
  return withSegment(jpeg, { marker: 0xfe, content });
}

/** A JPEG that EXIF turns by a quarter: orientation 6, in a field of this TIFF type. SHORT is 3. */
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
  expect(problem).toMatchObject({ code, status: errorCodes[code].status });
  expect(response.status).toBe(errorCodes[code].status);
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  expect(response.headers.get("X-Request-Id")).toBe(problem.requestId);
  return problem;
}

/** What the worker logs as warnings until the test ends, instead of showing it: one parsed line each. */
export function watchWarnings(): () => unknown[] {
  return watchConsole("warn");
}

/** What the worker logs at a level until the test ends, kept from view but not from the check for secrets. */
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
