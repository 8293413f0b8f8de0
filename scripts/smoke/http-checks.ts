import * as z from "zod";
import { type Reply, readRefusal } from "../../shared/client-reply.ts";
import { serviceReadinessSchema } from "../../shared/contract.ts";
import type { ErrorCode } from "../../shared/errors.ts";

const timeoutMs = 60_000;

const openApiSchema = z.object({ openapi: z.string().startsWith("3.1.") });
const readinessSchema = z.object({ status: z.literal("ready"), service: serviceReadinessSchema });

interface Expectation extends RequestInit {
  /** The status that the answer must have. */
  expected: number;
}

/** Sends a request. Throws a sentence if the answer has another status, or none comes. */
export async function requestExpecting(address: string, { expected, ...init }: Expectation): Promise<Reply> {
  const reply = await send(address, init);
  if (reply.status === expected) return reply;
  throw new Error(`expected status ${expected}, received ${reply.status}: ${reasonIn(reply)}`);
}

/** Expects that status, and names it. */
export async function checkStatus(address: string, expected: number): Promise<string> {
  return `status ${(await requestExpecting(address, { expected })).status}`;
}

async function requestJson<T>(address: string, schema: z.ZodType<T>): Promise<T> {
  const { text } = await requestExpecting(address, { expected: 200 });
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw error instanceof z.ZodError ? error : new Error(`expected JSON, received ${text.slice(0, 80)}`);
  }
}

/** Expects a service that is ready, and names its engine and device. */
export async function checkReadiness(address: string): Promise<string> {
  const { service } = await requestJson(address, readinessSchema);
  return `${service.engine} on ${service.device}`;
}

/** Expects an OpenAPI 3.1 document, and names its version. */
export async function checkOpenApi(address: string): Promise<string> {
  const document = await requestJson(address, openApiSchema);
  return `OpenAPI ${document.openapi}`;
}

/** Expects a problem document with that code. */
export async function checkRefusal(
  address: string,
  { code, ...init }: RequestInit & { code: ErrorCode },
): Promise<string> {
  const reply = await send(address, init);
  const refusal = readRefusal(reply);
  if (refusal.code === code) return `${reply.status} ${code}`;
  throw new Error(`expected ${code}, received ${refusal.code}: ${refusal.message}`);
}

/** Expects a page whose content security policy shuts out other origins. */
export async function checkPage(address: string): Promise<string> {
  const { headers } = await requestExpecting(address, { expected: 200 });
  const type = headers.get("Content-Type") ?? "no content type";
  if (!type.startsWith("text/html")) throw new Error(`expected a page, received ${type}`);
  if (!headers.has("Content-Security-Policy")) throw new Error("expected a content security policy, received none");
  return type;
}

/** Reads the body, wanted or not: a connection with an unread one would keep this process waiting. */
async function send(address: string, init: RequestInit): Promise<Reply> {
  try {
    const response = await fetch(address, { redirect: "manual", signal: AbortSignal.timeout(timeoutMs), ...init });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(`no answer: ${cause instanceof Error ? cause.message : cause}`, { cause: error });
  }
}

function reasonIn({ headers, text }: Reply): string {
  const location = headers.get("Location");
  if (location !== null) return `it leads on to ${location}`;
  return text.slice(0, 200).replaceAll(/\s+/g, " ") || "an empty body";
}
