import { describe, expect, test } from "vitest";
import { openApiDocument } from "../../edge/openapi/document.ts";
import { exampleResult } from "../../edge/openapi/responses.ts";
import worker from "../../edge/worker.ts";
import { captionResultSchema } from "../../shared/contract.ts";
import { errorFacts } from "../../shared/errors.ts";

const document = openApiDocument({ version: "0.0.0" });

/** Lists method and path of each route, with parameters as OpenAPI writes them. Façades of other APIs are not in the contract. */
/** Other services' routes, which their own documents describe. */
const facadeRoutes = ["/v1/chat/completions", "/v1/models"];

function workerRoutes(): string[] {
  const routes = worker.routes.filter(
    ({ method, path }) => method !== "ALL" && /^\/(v1|healthz|readyz)\b/.test(path) && !facadeRoutes.includes(path),
  );
  return [...new Set(routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`))];
}

describe("the OpenAPI document", () => {
  test("has every route of the worker, and no other", () => {
    const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.sort()).toEqual(workerRoutes().sort());
  });

  test("tells of every error code, each under its status", () => {
    const told = JSON.stringify(document.paths);
    for (const code of Object.keys(errorFacts)) expect(told).toContain(`\`${code}\`: `);
  });

  test("has an example that the contract accepts, whose figures fit each other", () => {
    const { candidates, confidence } = captionResultSchema.parse(exampleResult);
    const [{ logProb, words }] = candidates as [(typeof candidates)[number]]; // the schema asks for one at least
    const product = words.reduce((share, { probability }) => share * probability, 1);
    expect(Math.exp(logProb)).toBeCloseTo(product, 4);
    expect(confidence).toBeCloseTo(product ** (1 / words.length), 4);
  });
});
