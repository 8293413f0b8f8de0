import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Captioner } from "../../captioner/captioner.ts";
import { formResult } from "../../shared/caption-form.ts";
import { type CaptionOptions, parseCaptionOptions } from "../../shared/caption-options.ts";
import type { CaptionResult } from "../../shared/contract.ts";
import { CaptionError, quote } from "../../shared/errors.ts";
import { type ByteId, byteIdFromHash, byteIdOf } from "../../shared/photo-id.ts";
import { type Priority, priorities, prioritySchema } from "../../shared/priority.ts";
import type { Secrets } from "../secrets.ts";
import type { Settings } from "../settings.ts";
import type { Reservation } from "./admission.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { ServiceEnv } from "./observe-request.ts";
import { readBody } from "./read-body.ts";
import { verifySignature } from "./verify-signature.ts";

/** A third of a millisecond. */
const maxBytesHashedHere = 500_000;

type RequestSettings = Pick<Settings, "maxBytes" | "bodyTimeoutMs" | "maxDeadlineMs">;

interface CaptionRoute {
  settings: RequestSettings;
  secrets: Secrets;
  lifecycle: Lifecycle;
}

/** Handles `POST /v1/captions`: unsigned, invalid or excess requests are refused before the body is read. */
export function captionRequest({ settings, secrets, lifecycle }: CaptionRoute) {
  return async (c: Context<ServiceEnv>): Promise<Response> => {
    c.set("isCaption", true);
    const { maxBytes, maxDeadlineMs } = settings;
    const valid = secrets();
    const signedId = valid === undefined ? undefined : readSignedId(c, valid);
    const caller = readCaller(c.req.header("X-Caller"));
    const priority = readPriority(c.req.header("X-Priority"));
    c.set("priority", priority);
    const options = parseCaptionOptions(new URL(c.req.url).searchParams);
    const deadline = readDeadline(c.req.header("X-Deadline-Ms"), maxDeadlineMs);
    const bodyBytes = maxBodyBytes(c.req.header("Content-Length"), maxBytes);
    const { captioner, reservation } = lifecycle.admit(bodyBytes, priority);
    onceClosed(c.env, reservation.release);
    const client = c.req.raw.signal;
    const signal = AbortSignal.any([client, deadline, reservation.signal]);
    try {
      const { result, ...spent } = await captionBody(c, {
        captioner,
        reservation,
        options,
        caller,
        priority,
        signedId,
        signal,
      });
      c.set("timings", spent.timings);
      c.set("timeline", spent.timeline);
      return c.json(result);
    } catch (cause) {
      if (client.aborted) throw new CaptionError("invalid_request", "the client left before the answer", { cause });
      if (deadline.aborted) throw new CaptionError("upstream_timeout", "no caption within the deadline", { cause });
      throw cause;
    }
  };

  async function captionBody(
    c: Context<ServiceEnv>,
    { captioner, reservation, options, caller, priority, signedId, signal }: Admitted,
  ) {
    const { maxBytes, bodyTimeoutMs } = settings;
    const begunMs = performance.now();
    const bytes = await readBody(c.req.raw, { maxBytes, timeoutMs: bodyTimeoutMs, signal });
    c.set("read", { fromMs: begunMs, toMs: performance.now() });
    reservation.resize(bytes.length);
    const id = await hashPhoto(bytes);
    if (signedId !== undefined) expectSameId(id, signedId);
    const { caption, ...spent } = await captioner.caption({ bytes, id, options, caller, priority, signal });
    signal.throwIfAborted();
    lifecycle.admission.countCaption();
    const result: CaptionResult = formResult({ id, ...caption }, options);
    return { result, ...spent };
  }
}

interface Admitted {
  captioner: Captioner;
  reservation: Reservation;
  options: CaptionOptions;
  caller: string | undefined;
  priority: Priority;
  signedId: ByteId | undefined;
  signal: AbortSignal;
}

/** Calls back once the answer is sent or the client gone, also if that has happened already. */
function onceClosed({ outgoing, incoming: { socket } }: HttpBindings, call: () => void): void {
  if (outgoing.closed || socket.destroyed) {
    call();
    return;
  }
  const end = () => {
    outgoing.off("close", end);
    socket.off("close", end); // an answer that is queued after another on its connection emits no close
    call();
  };
  outgoing.once("close", end);
  socket.once("close", end);
}

/** The byte id that the signed digest promises. */
function readSignedId(c: Context<ServiceEnv>, secrets: readonly string[]): ByteId {
  const { method, headers } = c.req.raw;
  const target = c.env.incoming.url ?? ""; // as in the request line: the URL is normalised
  return byteIdFromHash(verifySignature({ method, target, headers }, { secrets, nowMs: Date.now() }));
}

/** The id of a photo's bytes. Those that take no longer than handing them over are hashed on this thread. */
function hashPhoto(bytes: Uint8Array<ArrayBuffer>): ByteId | Promise<ByteId> {
  if (bytes.length > maxBytesHashedHere) return byteIdOf(bytes);
  return byteIdFromHash(createHash("sha256").update(bytes).digest());
}

function expectSameId(received: ByteId, signed: ByteId): void {
  if (timingSafeEqual(Buffer.from(received), Buffer.from(signed))) return;
  throw new CaptionError("unauthorized", "the body's SHA-256 is not the one that was signed");
}

/** The most bytes that a body may have: its declared length, or the limit. `readBody` refuses one that is too large. */
function maxBodyBytes(declared: string | undefined, maxBytes: number): number {
  return Math.min(maxBytes, declared === undefined ? maxBytes : Number(declared));
}

function readCaller(header: string | undefined): string | undefined {
  if (header === undefined || /^[0-9a-f]{32}$/.test(header)) return header;
  throw new CaptionError("invalid_request", `expected X-Caller in 32 hex digits, received ${quote(header)}`);
}

function readPriority(header = "interactive"): Priority {
  const { success, data } = prioritySchema.safeParse(header);
  if (success) return data;
  const expected = `expected X-Priority to be ${priorities.join(" or ")}`;
  throw new CaptionError("invalid_request", `${expected}, received ${quote(header)}`);
}

/** A signal that aborts at the caller's deadline, or at the longest one allowed. */
function readDeadline(header: string | undefined, maxMs: number): AbortSignal {
  if (header === undefined) return AbortSignal.timeout(maxMs);
  if (/^\d{1,9}$/.test(header)) return AbortSignal.timeout(Math.min(maxMs, Number(header)));
  throw new CaptionError("invalid_request", `expected X-Deadline-Ms in whole milliseconds, received ${quote(header)}`);
}
