import { setTimeout } from "node:timers/promises";
import { captionResultSchema } from "../../shared/contract.ts";
import { ask } from "./ask.ts";
import type { Check } from "./run-checks.ts";
import type { Site } from "./site.ts";

const pollMs = 3_000;

/** The id of no photo at all. */
export const noPhoto = `sha256:${"0".repeat(64)}` as const;

/** From a picture to its caption, and to the same caption without the picture. */
export function captionChecks(site: Site): Check[] {
  return [
    { what: "POST /v1/captions captions a picture that is new", run: () => captionNew(site) },
    { what: "POST /v1/captions answers the same picture from the cache", run: () => untilHit(site) },
    { what: "GET /v1/captions/{id} finds it, and says so where it is known", run: () => lookUp(site) },
    { what: "HEAD /v1/captions/{id} tells the same without a body", run: () => lookUpHead(site) },
    { what: "POST /v1/captions/lookup finds it among others", run: () => lookUpMany(site) },
  ];
}

async function captionNew(site: Site): Promise<string> {
  const { result, isHit } = await site.client.caption(site.picture);
  site.learn(result);
  if (isHit) throw new Error("expected the model to run, received a hit for a picture that nobody has sent before");
  return `"${result.caption}"`;
}

/** Asks until a cache answers: where no nearer cache holds the result, KV may deny for a minute that it does. */
async function untilHit({ client, picture, result, hitSeconds }: Site): Promise<string> {
  const untilMs = performance.now() + hitSeconds * 1000;
  for (;;) {
    const answer = await client.caption(picture);
    const { caption } = answer.result;
    if (caption !== result.caption) throw new Error(`expected "${result.caption}" again, received "${caption}"`);
    const cacheStatus = answer.headers.get("Cache-Status") ?? "no Cache-Status";
    if (answer.isHit) return cacheStatus;
    if (performance.now() + pollMs > untilMs) {
      throw new Error(`expected a hit within ${hitSeconds} s, received ${cacheStatus}: is the KV namespace bound?`);
    }
    await setTimeout(pollMs);
  }
}

async function lookUp({ origin, result, headers }: Site): Promise<string> {
  const address = `${origin}/v1/captions/${result.id}`;
  const found = await ask(address, { expected: 200, headers });
  captionResultSchema.parse(JSON.parse(found.text));
  const tag = found.headers.get("ETag");
  if (tag === null) throw new Error("expected an ETag, received none");
  await ask(address, { expected: 304, headers: { ...headers, "If-None-Match": tag } });
  return "200, then 304 for its ETag";
}

async function lookUpHead({ origin, result, headers }: Site): Promise<string> {
  const { status } = await ask(`${origin}/v1/captions/${result.id}`, { expected: 200, method: "HEAD", headers });
  return String(status);
}

async function lookUpMany({ client, result }: Site): Promise<string> {
  const found = await client.lookUpMany([result.id, noPhoto]);
  if (found.has(result.id) && !found.has(noPhoto)) return "1 found, 1 missing";
  throw new Error(`expected the picture's id alone to be found, received ${[...found.keys()].join(", ") || "none"}`);
}
