import { createHash } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { parseCaptionOptions } from "../../shared/caption-options.ts";
import type { Candidate, CaptionResult, ModelCard, ServiceReadiness } from "../../shared/contract.ts";
import { type ErrorCode, errorFacts } from "../../shared/errors.ts";
import type { Problem } from "../../shared/problem.ts";
import type { FaultyServiceName } from "../edge/provided-context.ts";
import { type MadeServer, startMadeServer } from "./made-server.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** How long the services take that count their runs by photo. */
const slowMs = 400;

/** Takes its time; answers `GET /runs/{id}` with how often a photo was posted, the first time perhaps in a way of its own. */
function countsRuns(answerFirst?: (response: ServerResponse) => void): Answer {
  const runs = new Map<string, number>();
  return async (request, response) => {
    const id = request.url?.split("/runs/")[1];
    if (id !== undefined) return void response.end(String(runs.get(id) ?? 0));
    if (request.method === "GET") return sendJson(response, modelCard);
    const caption = await captionOf(request);
    const run = (runs.get(caption.id) ?? 0) + 1;
    runs.set(caption.id, run);
    await setTimeout(slowMs);
    if (run === 1 && answerFirst !== undefined) answerFirst(response);
    else sendJson(response, caption);
  };
}

/** Services that are wrong in one way each. What `otherRevision` has wrong is only that it is not the one before, and `slow` that it takes its time. */
const answers: Record<Exclude<FaultyServiceName, "absent" | "restarts">, Answer> = {
  silent: () => undefined,
  stallsInBody: (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json" }).write('{"id":');
  },
  hangsUpInBody: (_, response) => {
    response.writeHead(200, { "Content-Length": 1000 }).write('{"id":', () => response.destroy());
  },
  answersHtml: (_, response) => void response.end("<html>It works!</html>"),
  answersHugeText: (_, response) => void response.end("x".repeat(1024 * 1024)),
  answersEmptyObject: (_, response) => void response.end("{}"),
  answersForAnotherPhoto: captions({ id: `sha256:${"0".repeat(64)}` }),
  answersForOtherOptions: captions({ options: { beam: 10, candidates: 5 } }),
  answersWithAnotherCaption: captions({ caption: "not that of the first candidate" }),
  answersTooMany: captions({ candidates: [candidate("a"), candidate("b")], caption: "a" }),
  describesThePhoto: captions({
    contentId: `content:${"f".repeat(64)}`,
    image: { format: "gif", width: 7, height: 7, bytes: 7 },
  }),
  redirects: (_, response) => void response.writeHead(307, { Location: "/elsewhere" }).end(),
  overloaded: (request, response) => {
    if (request.url === "/readyz") return sendJson(response, readiness); // overloaded is not unready
    sendOverloaded(response);
  },
  starting: (_, response) => sendOverloaded(response),
  overloadedProxy: (_, response) => void response.writeHead(503).end("no healthy upstream"),
  crashed: (_, response) => sendProblem(response, "internal"),
  failsPhotos: (request, response) => {
    if (request.url === "/readyz") return sendJson(response, readiness);
    if (request.method === "POST") return void response.destroy();
    sendJson(response, modelCard);
  },
  slow: countsRuns(),
  silentOfPng: (request, response) =>
    request.headers["content-type"] === "image/png" ? undefined : captions()(request, response),
  silentToJobs: (request, response) => {
    if (request.url === "/readyz") return sendJson(response, readiness);
    return request.headers["x-priority"] === "bulk" ? undefined : captions()(request, response);
  },
  busyWithCaller: (_, response) => {
    response.setHeader("Retry-After", "3");
    sendProblem(response, "rate_limited");
  },
  failsFirst: countsRuns((response) => sendProblem(response, "invalid_image")),
  crashesFirst: countsRuns((response) => void response.destroy()),
  otherRevision: captions(),
};

const model = { id: "other", revision: "0123456789ab" };

const readiness: ServiceReadiness = {
  status: "ready",
  engine: "none",
  reason: "there is no other",
  device: "none",
  precision: "float32",
  fallback: false,
  engines: { ready: 1, expected: 1 },
  model,
};

const modelCard: ModelCard = {
  ...model,
  precision: "float32",
  description: "No model at all",
  vocabularySize: 3,
  cleaning: "natural",
  maxWords: 1,
  scores: [],
  licence: "Apache-2.0",
};

/** A caption as the contract has it; its text holds the request's headers, so that a test sees what was sent. */
async function captionOf(request: IncomingMessage, wrong: Partial<CaptionResult> = {}): Promise<CaptionResult> {
  const bytes = await buffer(request);
  const caption = JSON.stringify(request.headers);
  return {
    id: `sha256:${createHash("sha256").update(bytes).digest("hex")}`,
    caption,
    confidence: 0.5,
    candidates: [candidate(caption)],
    image: { format: "jpeg", width: 1, height: 1, bytes: bytes.length },
    model,
    options: parseCaptionOptions(new URL(request.url ?? "", "http://service").searchParams),
    ...wrong,
  };
}

function candidate(caption: string): Candidate {
  return { caption, confidence: 0.5, logProb: -1, words: [{ word: "endseq", probability: 0.5, end: true }] };
}

/** Says which model it has, as it is asked before the first photo, and captions by it. */
function captions(wrong: Partial<CaptionResult> = {}): Answer {
  return async (request, response) => {
    sendJson(response, request.method === "POST" ? await captionOf(request, wrong) : modelCard);
  };
}

function sendJson(response: ServerResponse, body: CaptionResult | ModelCard | ServiceReadiness): void {
  response.setHeader("Content-Type", "application/json").end(JSON.stringify(body));
}

function sendProblem(response: ServerResponse, code: ErrorCode): void {
  const status = errorFacts[code].status;
  const problem: Problem = { type: "about:blank", title: code, status, code, detail: `made ${code}`, requestId: "0" };
  response.writeHead(status, { "Content-Type": "application/problem+json" }).end(JSON.stringify(problem));
}

function sendOverloaded(response: ServerResponse): void {
  response.setHeader("Retry-After", "7");
  sendProblem(response, "overloaded");
}

/**
 * Captions, and at `POST /restart?goneMs=&startingMs=&silentMs=&keepsDeadlines=` goes: its port refuses connections for so
 * long, then all that is asked is answered as by a service that is starting, and then uploads are not answered at all, or
 * just before their deadline with 504.
 */
async function startRestartingService(): Promise<MadeServer> {
  let readyAtMs = 0;
  let isAnsweringAtMs = 0;
  let keepsDeadlines = false;
  const caption = captions();
  const server = await startMadeServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://service");
    if (pathname === "/restart") {
      const goneMs = Number(searchParams.get("goneMs"));
      readyAtMs = Date.now() + goneMs + Number(searchParams.get("startingMs"));
      isAnsweringAtMs = readyAtMs + Number(searchParams.get("silentMs"));
      keepsDeadlines = searchParams.has("keepsDeadlines");
      response.setHeader("Connection", "close").end("gone", () => void server.restart(goneMs));
    } else if (Date.now() < readyAtMs) {
      sendOverloaded(response);
    } else if (request.method === "GET" || Date.now() >= isAnsweringAtMs) {
      await caption(request, response);
    } else if (keepsDeadlines) {
      await setTimeout(0.8 * Number(request.headers["x-deadline-ms"]));
      sendProblem(response, "upstream_timeout");
    }
  });
  return server;
}

/** Starts each on a port of its own; `absent` has a port where nobody listens. */
export async function startFaultyServices(): Promise<{ origins: Record<string, string>; stop: () => Promise<void> }> {
  const servers = await Promise.all(Object.entries(answers).map(([name, answer]) => startServer(name, answer)));
  const gone = await startServer("absent", () => undefined);
  await gone.stop();
  const restarts = { name: "restarts", ...(await startRestartingService()) };
  return {
    origins: Object.fromEntries([...servers, gone, restarts].map(({ name, origin }) => [name, origin])),
    stop: async () => {
      await Promise.all([...servers, restarts].map((server) => server.stop()));
    },
  };
}

async function startServer(name: string, listener: RequestListener) {
  return { name, ...(await startMadeServer(listener)) };
}
