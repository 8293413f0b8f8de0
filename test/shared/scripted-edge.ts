import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { parseCaptionOptions } from "../../shared/caption-options.ts";
import type { CaptionResult } from "../../shared/contract.ts";
import { type ErrorCode, errorFacts } from "../../shared/errors.ts";
import type { Problem } from "../../shared/problem.ts";
import { startMadeServer } from "../support/made-server.ts";

export interface Received {
  method: string;
  target: string;
  headers: IncomingMessage["headers"];
  body: string;
}

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}

/** The edge's answer to a request; `hangs` is silence, `stalls` half a body. */
type Script = (request: Received) => Answer | "hangs" | "stalls";

/** Starts an HTTP server instead of the edge until the test ends, with answers that a real edge gives only when things go wrong. */
export async function startScriptedEdge(script: Script): Promise<{ origin: string; received: Received[] }> {
  const received: Received[] = [];
  const { origin, stop } = await startMadeServer(async (request, response) => {
    const { method = "", url: target = "", headers } = request;
    const asked = { method, target, headers, body: await text(request) };
    received.push(asked);
    send(response, script(asked));
  });
  onTestFinished(stop);
  return { origin, received };
}

function send(response: ServerResponse, answer: ReturnType<Script>): void {
  if (answer === "hangs") return;
  if (answer === "stalls") {
    response.writeHead(200, { "Content-Type": "application/json" }).write('{"id":');
    return;
  }
  const { status = 200, headers = {}, body } = answer;
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** Makes a valid caption result; its text is the photo's. */
export function captionOf(photo: string, target: string): CaptionResult {
  const words = [{ word: "endseq", probability: 0.5, end: true as const }];
  return {
    id: idOf(photo),
    caption: photo,
    confidence: 0.5,
    candidates: [{ caption: photo, confidence: 0.5, logProb: -1, words }],
    image: { format: "jpeg", width: 1, height: 1, bytes: photo.length },
    model: { id: "scripted", revision: "0123456789ab" },
    options: parseCaptionOptions(new URL(target, "http://edge").searchParams),
  };
}

export function idOf(photo: string): `sha256:${string}` {
  return `sha256:${createHash("sha256").update(photo).digest("hex")}`;
}

/** Makes the problem document of a code, with optional headers. */
export function refusal(code: ErrorCode, headers: Record<string, string> = {}): Answer {
  const status = errorFacts[code].status;
  const body: Problem = { type: "about:blank", title: code, status, code, detail: `made ${code}`, requestId: "r-1" };
  return { status, headers: { "Content-Type": "application/problem+json", "X-Request-Id": "r-1", ...headers }, body };
}
