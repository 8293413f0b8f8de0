import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { CaptionError } from "../../shared/errors.ts";
import { problemResponse } from "../../shared/problem.ts";
import type { ServiceEnv } from "./observe-request.ts";

/** Longer than load balancers keep an idle connection, or they send requests into one that we are closing. */
const keepAliveTimeout = 75_000;

/** What load balancers leave out that ask in HTTP/1.0; no route looks at it. */
const absentHost = "localhost";

/** Listens; throws one sentence when the port cannot be had. */
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

/** Stops listening; resolves when the last connection is closed. Responses under way get a second to be sent. */
export async function close(server: Server): Promise<void> {
  // a connection that has sent nothing yet counts as busy to Node, and would hold us until headersTimeout
  const impatience = setTimeout(() => server.closeAllConnections(), 1000);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(impatience);
}

/** What never reached the app has an unusable Host or request line. */
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
