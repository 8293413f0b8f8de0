import * as z from "zod";
import { captionOptionsSchema, captionStyles, defaultCaptionOptions } from "../../shared/caption-options.ts";
import { imageFormats } from "../../shared/image-header.ts";
import { type ApiResponse, exampleResult, type HeaderName, headersOf, refusals, success } from "./responses.ts";
import { inlineSchema, type JsonSchema, schemaRef } from "./schemas.ts";

export interface Parameter {
  name: string;
  in: "query" | "path" | "header";
  required?: boolean;
  description: string;
  schema: JsonSchema;
  examples?: Record<string, { summary: string; value: number }>;
}

/** An operation of the contract, with the OpenAPI fields that it uses. */
export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, ApiResponse>;
}

const { beam, candidates, maxWords } = captionOptionsSchema.shape;

const searchParameters: Parameter[] = [
  {
    name: "beam",
    in: "query",
    description: "Beams of the search; 1 is greedy search, the fastest.",
    schema: { ...inlineSchema(beam), default: defaultCaptionOptions.beam },
    examples: { greedy: { summary: "The fastest.", value: 1 }, usual: { summary: "The default.", value: 3 } },
  },
  {
    name: "candidates",
    in: "query",
    description: "Captions in the answer, best first; at most `beam`, also where `beam` is left out: more are 400.",
    schema: { ...inlineSchema(candidates), default: defaultCaptionOptions.candidates },
    examples: { best: { summary: "Only the best, with any `beam`.", value: 1 } },
  },
  {
    name: "maxWords",
    in: "query",
    description: "Most words of a caption, or a few more to avoid a bad ending. By default the model's own limit.",
    schema: inlineSchema(maxWords.unwrap()),
  },
  {
    name: "style",
    in: "query",
    description: "`sentence` writes captions with a capital and a full stop, or the script's own full stop.",
    schema: { type: "string", enum: captionStyles, default: "plain" },
  },
  {
    name: "neutral",
    in: "query",
    description:
      "Writes person and child for man, woman, girl and boy, and their for his and her, in every candidate; those that become equal are merged. For English.",
    schema: { type: "boolean", default: false },
  },
  {
    name: "keywords",
    in: "query",
    description:
      "Adds keywords: the candidates' content words in their dictionary forms, with a confidence each. For English.",
    schema: { type: "boolean", default: false },
  },
];

const idParameter: Parameter = {
  name: "id",
  in: "path",
  required: true,
  description: "`sha256:` and the SHA-256 of the file's bytes, or `content:` and that of what the photo shows.",
  schema: schemaRef("PhotoId"),
};

const captionHeaders: HeaderName[] = [
  "Content-Location",
  "ETag",
  "Cache-Status",
  "Age",
  "Server-Timing",
  "RateLimit-Policy",
];
/** Codes of operations that check keys and limits. */
export const admission = ["unauthorized", "forbidden", "rate_limited"] as const;
/** Codes of every operation. */
export const everywhere = ["method_not_allowed", "internal"] as const;
/** Codes of operations that ask the captioning service. */
const service = ["upstream_error", "overloaded", "upstream_timeout", ...everywhere] as const;

const image = { schema: { type: "string", format: "binary" } };

export const captionPhoto: Operation = {
  operationId: "captionPhoto",
  tags: ["Captions"],
  summary: "Caption a photo",
  description:
    "One photo: as the raw body, as the field `image` of a form, or as an address to fetch it from. The format is detected from the bytes; the media type is ignored. A photo that was captioned before is answered from the cache.",
  parameters: searchParameters,
  requestBody: {
    required: true,
    content: {
      ...Object.fromEntries(imageFormats.map((format) => [`image/${format}`, image])),
      "application/octet-stream": image,
      "multipart/form-data": {
        schema: { type: "object", required: ["image"], properties: { image: image.schema } },
      },
      "application/json": { schema: schemaRef("SourceRequest") },
    },
  },
  responses: {
    "200": success("The caption.", {
      schema: schemaRef("CaptionResult"),
      example: exampleResult,
      headers: captionHeaders,
    }),
    ...refusals([
      "invalid_request",
      ...admission,
      "request_timeout",
      "payload_too_large",
      "unsupported_media_type",
      "invalid_image",
      "source_unreachable",
      ...service,
    ]),
  },
};

export const lookUpCaption: Operation = {
  operationId: "lookUpCaption",
  tags: ["Captions"],
  summary: "Look a photo up by its id",
  description: "Returns what is stored for a photo, without uploading it. Never runs the model.",
  parameters: [
    idParameter,
    ...searchParameters,
    {
      name: "If-None-Match",
      in: "header",
      description: "The `ETag` of an earlier answer.",
      schema: { type: "string" },
    },
  ],
  responses: {
    "200": success("The caption.", {
      schema: schemaRef("CaptionResult"),
      example: exampleResult,
      headers: captionHeaders,
    }),
    "304": {
      description: "Unchanged since the answer that `If-None-Match` names.",
      headers: headersOf(["ETag", "Cache-Status"]),
    },
    ...refusals(["invalid_request", ...admission, "not_found", ...service]),
  },
};

export const deleteCaption: Operation = {
  operationId: "deleteCaption",
  tags: ["Captions"],
  summary: "Delete what is stored for a photo",
  description:
    "By either id, for every combination of options at the current model revision. Requires a key with the scope `admin`.",
  security: [{ apiKey: [] }],
  parameters: [idParameter],
  responses: {
    "200": success("Deleted.", { schema: schemaRef("Deletion") }),
    ...refusals(["invalid_request", ...admission, ...service]),
  },
};

export const lookUpCaptions: Operation = {
  operationId: "lookUpCaptions",
  tags: ["Captions"],
  summary: "Look up as many as 100 photos by id",
  description: "Returns what is stored for each id. Never runs the model.",
  parameters: searchParameters,
  requestBody: { required: true, content: { "application/json": { schema: schemaRef("LookupRequest") } } },
  responses: {
    "200": success("Results by id, and the ids that have none.", { schema: schemaRef("LookupReply") }),
    ...refusals(["invalid_request", ...admission, "request_timeout", "payload_too_large", ...service]),
  },
};

export const readModel: Operation = {
  operationId: "readModel",
  tags: ["Service"],
  summary: "The model's card",
  description: "The model in service: revision, vocabulary, scores, licence.",
  responses: {
    "200": success("The card.", { schema: schemaRef("ModelCard") }),
    ...refusals([...admission, ...service]),
  },
};

export const readHealth: Operation = {
  operationId: "readHealth",
  tags: ["Service"],
  summary: "Whether the edge runs",
  description: "Does not ask the captioning service.",
  security: [],
  responses: {
    "200": success("The edge runs.", { schema: inlineSchema(z.object({ status: z.literal("ok") })) }),
    ...refusals(everywhere),
  },
};

export const readReadiness: Operation = {
  operationId: "readReadiness",
  tags: ["Service"],
  summary: "Whether a photo would be captioned",
  description: "Asks the captioning service.",
  security: [],
  responses: {
    "200": success("A photo would be captioned.", {
      schema: {
        type: "object",
        required: ["status", "service"],
        properties: { status: { const: "ready" }, service: schemaRef("ServiceReadiness") },
      },
    }),
    ...refusals(service),
  },
};
