import { askOpenApi, askPage, askReadiness, askStatus, expectRefusal } from "./ask.ts";
import { captionChecks, noPhoto } from "./caption-checks.ts";
import type { Check } from "./run-checks.ts";
import type { Site } from "./site.ts";

/** Every route of the contract once; the first tells whether anybody is there. */
export function checksOf(site: Site): Check[] {
  return [...stateChecks(site), ...captionChecks(site), ...refusalChecks(site), ...fileChecks(site)];
}

function stateChecks({ origin, client }: Site): Check[] {
  const tellModel = async () => {
    const { id, revision } = await client.modelCard();
    return `${id}, revision ${revision}`;
  };
  return [
    { what: "GET /healthz says that the edge runs", run: () => askStatus(`${origin}/healthz`, 200) },
    { what: "GET /readyz says that the service behind it is ready", run: () => askReadiness(`${origin}/readyz`) },
    { what: "GET /v1/model tells the model", run: tellModel },
  ];
}

function refusalChecks({ origin, headers }: Site): Check[] {
  const text = { method: "POST", body: "no picture", headers: { ...headers, "Content-Type": "image/jpeg" } };
  return [
    {
      what: "GET /v1/captions/{id} of no photo is refused",
      run: () => expectRefusal(`${origin}/v1/captions/${noPhoto}`, { code: "not_found", headers }),
    },
    {
      what: "DELETE /v1/captions/{id} without a key is refused",
      run: () => expectRefusal(`${origin}/v1/captions/${noPhoto}`, { code: "unauthorized", method: "DELETE" }),
    },
    {
      what: "POST /v1/captions of a text is refused",
      run: () => expectRefusal(`${origin}/v1/captions`, { code: "unsupported_media_type", ...text }),
    },
  ];
}

function fileChecks({ origin }: Site): Check[] {
  return [
    { what: "GET / is the page", run: () => askPage(`${origin}/`) },
    { what: "GET /docs is the contract to read", run: () => askPage(`${origin}/docs`) },
    { what: "GET /openapi.json is the contract", run: () => askOpenApi(`${origin}/openapi.json`) },
  ];
}
