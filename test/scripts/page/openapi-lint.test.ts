import { createConfig, lintFromString } from "@redocly/openapi-core";
import { expect, test } from "vitest";
import { openApiDocument } from "../../../edge/openapi/document.ts";

/** Redocly's strict rules, but those that ask for what one deployment cannot say of another: its address. */
const config = await createConfig({
  extends: ["recommended-strict"],
  rules: { "no-empty-servers": "off", "no-server-example.com": "off" },
});

function lint(document: object) {
  return lintFromString({ source: JSON.stringify(document), config, absoluteRef: "/openapi.json" });
}

test("the contract passes a linter's strict rules", async () => {
  const problems = await lint(openApiDocument({ version: "0.0.0" }));
  expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual([]);
});

test("a reference that leads nowhere does not pass", async () => {
  const document = openApiDocument({ version: "0.0.0" });
  const { Problem, ...schemas } = document.components.schemas;
  const problems = await lint({ ...document, components: { ...document.components, schemas } });
  expect(problems.map(({ ruleId }) => ruleId)).toContain("no-unresolved-refs");
});
