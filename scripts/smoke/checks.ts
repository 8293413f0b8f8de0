import { setTimeout } from "node:timers/promises";
import { captionResultSchema } from "../../shared/contract.ts";
import { checkOpenApi, checkPage, checkReadiness, checkRefusal, checkStatus, requestExpecting } from "./http-checks.ts";
import type { Check } from "./run-checks.ts";
import type { SmokeTarget } from "./smoke-target.ts";

const pollMs = 3_000;

/** Every route of the contract once; the first says whether anything answers. */
export function checksOf(deployment: SmokeTarget): Check[] {
  return [
    ...stateChecks(deployment),
    ...captionChecks(deployment),
    ...refusalChecks(deployment),
    ...fileChecks(deployment),
  ];
}

function stateChecks({ origin, client }: SmokeTarget): Check[] {
  const describeModel = async () => {
    const { id, revision } = await client.modelCard();
    return `${id}, revision ${revision}`;
  };
  return [
    { what: "GET /healthz says that the edge runs", run: () => checkStatus(`${origin}/healthz`, 200) },
    { what: "GET /readyz says that the service behind it is ready", run: () => checkReadiness(`${origin}/readyz`) },
    { what: "GET /v1/model describes the model", run: describeModel },
  ];
}

function refusalChecks({ origin, headers }: SmokeTarget): Check[] {
  const text = { method: "POST", body: "no picture", headers: { ...headers, "Content-Type": "image/jpeg" } };
  return [
    {
      what: "GET /v1/captions/{id} of no photo is refused",
      run: () => checkRefusal(`${origin}/v1/captions/${noPhoto}`, { code: "not_found", headers }),
    },
    {
      what: "DELETE /v1/captions/{id} without a key is refused",
      run: () => checkRefusal(`${origin}/v1/captions/${noPhoto}`, { code: "unauthorized", method: "DELETE" }),
    },
    {
      what: "POST /v1/captions of text is refused",
      run: () => checkRefusal(`${origin}/v1/captions`, { code: "unsupported_media_type", ...text }),
    },
  ];
}

function fileChecks({ origin }: SmokeTarget): Check[] {
  return [
    { what: "GET / is the page", run: () => checkPage(`${origin}/`) },
    { what: "GET /docs is the API documentation", run: () => checkPage(`${origin}/docs`) },
    { what: "GET /openapi.json is the contract", run: () => checkOpenApi(`${origin}/openapi.json`) },
  ];
}

/** The id of no photo at all. */
const noPhoto = `sha256:${"0".repeat(64)}` as const;

/** Checks a new picture's caption, and the same caption without the picture. */
function captionChecks(deployment: SmokeTarget): Check[] {
  return [
    { what: "POST /v1/captions captions a picture that is new", run: () => captionNew(deployment) },
    { what: "POST /v1/captions answers the same picture from the cache", run: () => untilHit(deployment) },
    { what: "GET /v1/captions/{id} finds it, and answers 304 to its ETag", run: () => lookUp(deployment) },
    { what: "HEAD /v1/captions/{id} answers the same without a body", run: () => lookUpHead(deployment) },
    { what: "POST /v1/captions/lookup finds it among others", run: () => lookUpMany(deployment) },
  ];
}

async function captionNew(deployment: SmokeTarget): Promise<string> {
  const { result, isHit } = await deployment.client.caption(deployment.picture);
  deployment.keep(result);
  if (isHit) throw new Error("expected the model to run, received a hit for a picture that nobody has sent before");
  return `"${result.caption}"`;
}

/** Asks until a cache answers: where no nearer cache holds the result, KV may deny for a minute that it does. */
async function untilHit({ client, picture, result, hitSeconds }: SmokeTarget): Promise<string> {
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

async function lookUp({ origin, result, headers }: SmokeTarget): Promise<string> {
  const address = `${origin}/v1/captions/${result.id}`;
  const found = await requestExpecting(address, { expected: 200, headers });
  captionResultSchema.parse(JSON.parse(found.text));
  const tag = found.headers.get("ETag");
  if (tag === null) throw new Error("expected an ETag, received none");
  await requestExpecting(address, { expected: 304, headers: { ...headers, "If-None-Match": tag } });
  return "200, then 304 for its ETag";
}

async function lookUpHead({ origin, result, headers }: SmokeTarget): Promise<string> {
  const { status } = await requestExpecting(`${origin}/v1/captions/${result.id}`, {
    expected: 200,
    method: "HEAD",
    headers,
  });
  return String(status);
}

async function lookUpMany({ client, result }: SmokeTarget): Promise<string> {
  const found = await client.lookUpMany([result.id, noPhoto]);
  if (found.has(result.id) && !found.has(noPhoto)) return "1 found, 1 missing";
  throw new Error(`expected the picture's id alone to be found, received ${[...found.keys()].join(", ") || "none"}`);
}
