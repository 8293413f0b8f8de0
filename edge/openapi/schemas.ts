import * as z from "zod";
import { captionOptionsSchema } from "../../shared/caption-options.ts";
import {
  candidateSchema,
  captionResultSchema,
  deletionSchema,
  imageInfoSchema,
  keywordSchema,
  lookupReplySchema,
  lookupRequestSchema,
  modelCardSchema,
  photoIdSchema,
  serviceReadinessSchema,
  sourceRequestSchema,
} from "../../shared/contract.ts";
import { jobListSchema, jobRequestSchema, jobResultSchema, jobSchema } from "../../shared/jobs.ts";
import { problemSchema } from "../../shared/problem.ts";

export type JsonSchema = Record<string, unknown>;

const form = {
  /** Schemas of input allow unknown fields: a reply may gain fields without breaking generated clients. */
  io: "input",
  /** The largest safe integer is zod's limit, not the contract's. */
  override: ({ jsonSchema }: { jsonSchema: { maximum?: number | undefined } }) => {
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  },
} as const;

/** The contract's named schemas, with the names that they have in generated clients. */
const named = {
  CaptionResult: captionResultSchema,
  Candidate: candidateSchema,
  Keyword: keywordSchema,
  ImageInfo: imageInfoSchema,
  CaptionOptions: captionOptionsSchema,
  PhotoId: photoIdSchema,
  SourceRequest: sourceRequestSchema,
  LookupRequest: lookupRequestSchema,
  LookupReply: lookupReplySchema,
  Deletion: deletionSchema,
  ModelCard: modelCardSchema,
  ServiceReadiness: serviceReadinessSchema,
  JobRequest: jobRequestSchema,
  Job: jobSchema,
  JobList: jobListSchema,
  JobResult: jobResultSchema,
  Problem: problemSchema,
} as const;

type SchemaName = keyof typeof named;

/** References a named schema. */
export function schemaRef(name: SchemaName): JsonSchema {
  return { $ref: pointerTo(name) };
}

/** Writes the named schemas as JSON Schema 2020-12, which OpenAPI 3.1 uses. They reference each other by name. */
export function componentSchemas(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: pointerTo, ...form });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutPreamble({ ...schema })]));
}

/** Writes a schema that is used in one position only, such as a parameter's. */
export function inlineSchema(schema: z.ZodType): JsonSchema {
  return withoutPreamble({ ...z.toJSONSchema(schema, form) });
}

/** Removes `$schema` and `$id`: the document states the dialect for all schemas, and its URL is theirs. */
function withoutPreamble({ $schema, $id, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

function pointerTo(name: string): string {
  return `#/components/schemas/${name}`;
}
