import * as z from "zod";
import {
  candidateSchema,
  captionOptionsSchema,
  captionResultSchema,
  deletionSchema,
  imageInfoSchema,
  lookupReplySchema,
  lookupRequestSchema,
  modelCardSchema,
  photoIdSchema,
  serviceReadinessSchema,
  sourceRequestSchema,
} from "../../shared/contract.ts";
import { problemSchema } from "../../shared/problem.ts";

export type JsonSchema = Record<string, unknown>;

const form = {
  /** What is read: a reply may gain fields, and no client generated from this is to break at that. */
  io: "input",
  /** The largest safe integer is zod's limit, not the contract's. */
  override: ({ jsonSchema }: { jsonSchema: { maximum?: number | undefined } }) => {
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  },
} as const;

/** The schemas that the contract names, under the names that clients generated from it will have. */
const named = {
  CaptionResult: captionResultSchema,
  Candidate: candidateSchema,
  ImageInfo: imageInfoSchema,
  CaptionOptions: captionOptionsSchema,
  PhotoId: photoIdSchema,
  SourceRequest: sourceRequestSchema,
  LookupRequest: lookupRequestSchema,
  LookupReply: lookupReplySchema,
  Deletion: deletionSchema,
  ModelCard: modelCardSchema,
  ServiceReadiness: serviceReadinessSchema,
  Problem: problemSchema,
} as const;

export type SchemaName = keyof typeof named;

/** Stands for a named schema. */
export function schemaRef(name: SchemaName): JsonSchema {
  return { $ref: pointerTo(name) };
}

/** The named schemas as JSON Schema 2020-12, which is what OpenAPI 3.1 speaks; they refer to each other by name. */
export function componentSchemas(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: pointerTo, ...form });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutPreamble({ ...schema })]));
}

/** A schema that stands where it is used, such as a parameter's. */
export function inlineSchema(schema: z.ZodType): JsonSchema {
  return withoutPreamble({ ...z.toJSONSchema(schema, form) });
}

/** The document tells the dialect for all of them, and its own address is theirs. */
function withoutPreamble({ $schema, $id, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

function pointerTo(name: string): string {
  return `#/components/schemas/${name}`;
}
