import * as z from "zod";
import { defaultResultRows, maxResultRows, resultTypes } from "../../shared/jobs.ts";
import { admission, everywhere, type Operation, type Parameter } from "./operations.ts";
import { headersOf, refusals, success } from "./responses.ts";
import { inlineSchema, schemaRef } from "./schemas.ts";

const tags = ["Jobs"];
const security = [{ apiKey: [] }];
/** Codes of every operation on jobs. */
const usual = ["invalid_request", ...admission, "not_found", "overloaded", ...everywhere] as const;

const idParameter: Parameter = {
  name: "id",
  in: "path",
  required: true,
  description: "The job's id.",
  schema: { type: "string", format: "uuid" },
};

const cursorParameter: Parameter = {
  name: "cursor",
  in: "query",
  description: "Where the page begins, from the answer before it.",
  schema: { type: "string" },
};

export const startJob: Operation = {
  operationId: "startJob",
  tags,
  security,
  summary: "Caption a bucket or a list of addresses",
  description:
    "Starts a job, which lists its photos and captions them in the background. A photo that was captioned before is answered from the cache.",
  requestBody: { required: true, content: { "application/json": { schema: schemaRef("JobRequest") } } },
  responses: {
    "202": success("Started.", { schema: schemaRef("Job"), headers: ["Location", "RateLimit-Policy"] }),
    ...refusals([...usual, "request_timeout", "payload_too_large", "unsupported_media_type", "source_unreachable"]),
  },
};

export const listJobs: Operation = {
  operationId: "listJobs",
  tags,
  security,
  summary: "List the key's jobs",
  description: "The newest first, a hundred on a page.",
  parameters: [cursorParameter],
  responses: { "200": success("The jobs.", { schema: schemaRef("JobList") }), ...refusals(usual) },
};

export const readJob: Operation = {
  operationId: "readJob",
  tags,
  security,
  summary: "Look up how far a job is",
  description: "Its state, counts, rate and remaining time.",
  parameters: [idParameter],
  responses: { "200": success("The job.", { schema: schemaRef("Job") }), ...refusals(usual) },
};

export const readJobResults: Operation = {
  operationId: "readJobResults",
  tags,
  security,
  summary: "A job's results",
  description:
    "The job's photos in the order of their keys, a page at a time: a `JobResult` per line of JSON, or CSV. Waiting photos are included, as `queued`, so pages may be read while the job runs.",
  parameters: [
    idParameter,
    cursorParameter,
    {
      name: "limit",
      in: "query",
      description: "Rows of the page.",
      schema: { type: "integer", minimum: 1, maximum: maxResultRows, default: defaultResultRows },
    },
  ],
  responses: {
    "200": {
      description: "A page.",
      headers: headersOf(["X-Request-Id", "Link"]),
      content: {
        [resultTypes.jsonl]: { schema: schemaRef("JobResult") },
        [resultTypes.csv]: { schema: inlineSchema(z.string()) },
      },
    },
    ...refusals(usual),
  },
};

export const cancelJob: Operation = {
  operationId: "cancelJob",
  tags,
  security,
  summary: "Cancel a job",
  description: "Photos that are being captioned are finished, no others are begun. A finished job is not changed.",
  parameters: [idParameter],
  responses: { "200": success("The job.", { schema: schemaRef("Job") }), ...refusals(usual) },
};

export const deleteJob: Operation = {
  operationId: "deleteJob",
  tags,
  security,
  summary: "Delete a job and its results",
  description: "Cancels it first if it is under way. Captions stay in the cache.",
  parameters: [idParameter],
  responses: { "204": { description: "Deleted.", headers: headersOf(["X-Request-Id"]) }, ...refusals(usual) },
};
