import { timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { type CaptionResult, parseCaptionOptions, quote } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { type ByteId, byteIdFromHash, byteIdOf } from "../shared/photo-id.ts";
import { verifySignature } from "../shared/signature.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { ServiceEnv } from "./observe-request.ts";
import { readBody } from "./read-body.ts";
import type { Settings } from "./settings.ts";

interface CaptionRoute {
  settings: Pick<Settings, "secrets" | "maxBytes" | "bodyTimeoutMs">;
  lifecycle: Lifecycle;
}

/** `POST /v1/captions`: whoever signed nothing, or asks for what there is not, is told so before a byte is read. */
export function captionRequest({ settings, lifecycle }: CaptionRoute) {
  return async (c: Context<ServiceEnv>): Promise<Response> => {
    const signedId = settings.secrets === undefined ? undefined : await readSignedId(c, settings.secrets);
    const options = parseCaptionOptions(new URL(c.req.url).searchParams);
    const deadline = readDeadline(c.req.header("X-Deadline-Ms"));
    const client = c.req.raw.signal;
    const signal = deadline === undefined ? client : AbortSignal.any([client, deadline]);
    const captioner = lifecycle.admit(c.env.outgoing);
    try {
      const { maxBytes, bodyTimeoutMs } = settings;
      const bytes = await readBody(c.req.raw, { maxBytes, timeoutMs: bodyTimeoutMs, signal });
      const id = await byteIdOf(bytes);
      if (signedId !== undefined) expectSameId(id, signedId);
      const result: CaptionResult = { id, ...(await captioner.caption({ bytes, options, signal })) };
      signal.throwIfAborted();
      return c.json(result);
    } catch (cause) {
      if (client.aborted) throw new CaptionError("invalid_request", "the client left before the answer", { cause });
      if (deadline?.aborted) throw new CaptionError("upstream_timeout", "no caption within X-Deadline-Ms", { cause });
      throw cause;
    }
  };
}

/** The byte id that the signed digest promises. */
async function readSignedId(c: Context<ServiceEnv>, secrets: readonly string[]): Promise<ByteId> {
  const { method, headers } = c.req.raw;
  const target = c.env.incoming.url ?? ""; // as it stood in the request line: the URL is normalised
  return byteIdFromHash(await verifySignature({ method, target, headers }, { secrets, nowMs: Date.now() }));
}

function expectSameId(received: ByteId, signed: ByteId): void {
  if (timingSafeEqual(Buffer.from(received), Buffer.from(signed))) return;
  throw new CaptionError("unauthorized", "the body's SHA-256 is not the one that was signed");
}

/** Aborts when the caller's time is up. */
function readDeadline(header: string | undefined): AbortSignal | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return AbortSignal.timeout(Number(header));
  throw new CaptionError("invalid_request", `expected X-Deadline-Ms in whole milliseconds, received ${quote(header)}`);
}
