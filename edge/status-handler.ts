import type { Context } from "hono";
import type { ModelCard } from "../shared/contract.ts";
import type { EdgeEnv } from "./context.ts";

const fresh = { "Cache-Control": "no-store, no-transform" };

/** `GET /healthz`: the worker runs. Needs neither the service nor settings. */
export function handleHealth(c: Context<EdgeEnv>): Response {
  return c.json({ status: "ok" }, 200, fresh);
}

/** `GET /readyz`: the service can caption. KV is not checked, since its outage fails no request. */
export async function handleReadiness(c: Context<EdgeEnv>): Promise<Response> {
  const askedAtMs = Date.now();
  const service = await c.get("service").readiness();
  c.get("revision").learn(service.model.revision, { askedAtMs });
  return c.json({ status: "ready", service }, 200, fresh);
}

/** `GET /v1/model`: the card of the model in service. */
export async function handleModel(c: Context<EdgeEnv>): Promise<Response> {
  return c.json(await askModelCard(c), 200, { "Cache-Control": "no-cache, no-transform" });
}

/** Asks the service for its model's card and learns the revision from it. */
export async function askModelCard(c: Context<EdgeEnv>): Promise<ModelCard> {
  const askedAtMs = Date.now();
  const card = await c.get("service").modelCard();
  c.get("revision").learn(card.revision, { askedAtMs });
  return card;
}
