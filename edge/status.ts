import type { Context } from "hono";
import type { EdgeEnv } from "./edge-env.ts";

const fresh = { "Cache-Control": "no-store, no-transform" };

/** `GET /healthz`: this worker runs. Asks nobody and needs no settings. */
export function answerHealth(c: Context<EdgeEnv>): Response {
  return c.json({ status: "ok" }, 200, fresh);
}

/** `GET /readyz`: the service behind it can caption. KV is no part of it, since its failure fails no request. */
export async function answerReadiness(c: Context<EdgeEnv>): Promise<Response> {
  const askedAtMs = Date.now();
  const service = await c.get("service").readiness();
  c.get("revision").learn(service.model.revision, { askedAtMs });
  return c.json({ status: "ready", service }, 200, fresh);
}

/** `GET /v1/model`: the card of the model that captions at present. */
export async function answerModel(c: Context<EdgeEnv>): Promise<Response> {
  const askedAtMs = Date.now();
  const card = await c.get("service").modelCard();
  c.get("revision").learn(card.revision, { askedAtMs });
  return c.json(card, 200, { "Cache-Control": "no-cache, no-transform" });
}
