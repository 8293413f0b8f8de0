import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import type { Logger } from "pino";
import { endingSignals } from "../../captioner/child-process.ts";
import { CaptionError } from "../../shared/errors.ts";
import { problemResponse } from "../../shared/problem.ts";
import type { Traces } from "../traces.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { ServiceEnv } from "./observe-request.ts";

/** Longer than load balancers keep an idle connection, or they would send requests into one that is being closed. */
const keepAliveTimeout = 75_000;

/** The time for sending the last answers. */
const lastSecondMs = 1000;

/** The Host of HTTP/1.0 requests without one, which load balancers send; no route reads it. */
const absentHost = "localhost";

/** Starts listening. Throws one sentence when the port is not available. */
export async function listen(
  app: Hono<ServiceEnv>,
  { host, port, name = "PORT" }: { host: string; port: number; name?: "PORT" | "METRICS_PORT" },
): Promise<{ server: Server; port: number }> {
  const listener = getRequestListener(app.fetch, { errorHandler: refuseMalformed, hostname: absentHost });
  const server = createServer({ keepAliveTimeout }, listener);
  try {
    await once(server.listen({ host, port }), "listening");
  } catch (cause) {
    throw new Error(`cannot listen on ${host}:${port}: ${describeListenError(cause, name)}`, { cause });
  }
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : port };
}

/** Stops listening; resolves when the last connection is closed, after a second at most. */
async function close(server: Server): Promise<void> {
  // to Node, a connection that has sent nothing yet is busy, and would stay open until headersTimeout
  const forcedClose = setTimeout(() => server.closeAllConnections(), 1000);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(forcedClose);
}

/** The answer to requests that do not reach the app: their Host or request line is unusable. */
function refuseMalformed(cause: unknown): Response {
  const error = new CaptionError("invalid_request", "expected a request with a usable Host and path", { cause });
  return problemResponse(error, randomUUID());
}

const listenErrors: Record<string, string> = {
  EADDRINUSE: "{port} is taken by another process",
  EACCES: "{port} may not be used by this user",
  EADDRNOTAVAIL: "HOST is no address of this machine",
  ENOTFOUND: "HOST is no known name",
};

function describeListenError(error: unknown, name: string): string {
  if (!(error instanceof Error)) return String(error);
  const sentence = "code" in error ? listenErrors[String(error.code)] : undefined;
  return sentence?.replace("{port}", name) ?? error.message;
}

interface Drainable {
  /** The servers that listen so far. */
  servers: readonly Server[];
  lifecycle: Lifecycle;
  drainSeconds: number;
  /** Undefined unless traces are on. */
  traces: Traces | undefined;
  log: Logger;
}

/** Drains the service when a signal asks the process to end; it then ends with code 0. A second signal ends it at once. */
export function drainOnSignal(service: Drainable): void {
  for (const signal of endingSignals) {
    process.on(signal, () => {
      if (service.lifecycle.isDraining) process.exit(1);
      service.log.info({ signal, admitted: service.lifecycle.admission.requests }, "draining");
      void drain(service, 0);
    });
  }
}

/**
 * Refuses new requests, finishes the admitted ones and ends the process. Requests that are not done after `drainSeconds` are
 * answered with 503, and cut off a second later.
 */
export async function drain(service: Drainable, exitCode: 0 | 1): Promise<void> {
  const { servers, lifecycle, drainSeconds, log } = service;
  setTimeout(() => {
    log.error({ admitted: lifecycle.admission.requests }, "gave up on admitted requests");
    lifecycle.giveUp();
    setTimeout(() => void end(service, exitCode), lastSecondMs);
  }, drainSeconds * 1000);
  // still listening, so that a load balancer which has not noticed gets a 503 instead of a refused connection
  await lifecycle.drain();
  await Promise.all(servers.map(close));
  await end(service, exitCode);
}

async function end({ lifecycle, traces }: Drainable, exitCode: 0 | 1): Promise<void> {
  await Promise.all([lifecycle.end(), traces?.end()]);
  process.exit(exitCode);
}
