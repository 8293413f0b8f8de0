import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Problem } from "../../shared/problem.ts";
import type { Caption } from "../caption-cache.ts";
import { cacheHeaders } from "../caption-response.ts";
import type { EdgeEnv } from "../context.ts";
import { type FacadeName, facadeNames, readFacades } from "../settings.ts";

/** Paths of each façade; one that ends with `*` stands for all below it. */
const pathsOf: Record<FacadeName, readonly string[]> = {
  max: ["/model/predict"],
  huggingface: ["/models/*"],
  openai: ["/v1/chat/completions", "/v1/models"],
  ollama: ["/api/generate", "/api/chat", "/api/tags"],
};

/** The error document of services whose clients show their own only. The clients of the others show our `detail`. */
const errorDocuments: Partial<Record<FacadeName, (problem: Problem) => object>> = {
  openai: ({ detail, status, code }) => ({
    error: { message: detail, type: openAiErrorType(status), param: null, code },
  }),
  ollama: ({ detail }) => ({ error: detail }),
};

/** Answers 404 for a façade unless the setting FACADES names it. */
export const requireFacade = createMiddleware<EdgeEnv>(async (c, next) => {
  if (isFacadeOff(c)) return c.notFound();
  return next();
});

/** Whether a request is for a façade that the setting FACADES does not name. */
export function isFacadeOff(c: Context<EdgeEnv>): boolean {
  const name = facadeAt(c.req.path);
  return name !== undefined && !readFacades(c.env).includes(name);
}

/** Builds an answer in another service's shape, with our own headers on how it came about. */
export function facadeResponse(
  c: Context<EdgeEnv>,
  { body, caption, mediaType = "application/json" }: { body: object | string; caption: Caption; mediaType?: string },
): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "Content-Type": mediaType, "Cache-Control": "no-store, no-transform", ...cacheHeaders(caption) };
  return c.body(text, 200, headers);
}

/** Gives a problem document the shape that the façade's clients read; returns it as it is on every other route. */
export async function shapeProblem(c: Context<EdgeEnv>, response: Response): Promise<Response> {
  const name = facadeAt(c.req.path);
  const shape = name === undefined || isFacadeOff(c) ? undefined : errorDocuments[name];
  if (shape === undefined) return response;
  const headers = new Headers(response.headers);
  headers.set("Content-Type", "application/json");
  return new Response(JSON.stringify(shape(await response.json<Problem>())), { status: response.status, headers });
}

function facadeAt(path: string): FacadeName | undefined {
  const isAt = (pattern: string) => (pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern);
  return facadeNames.find((name) => pathsOf[name].some(isAt));
}

function openAiErrorType(status: number): string {
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}
