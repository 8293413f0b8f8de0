import {
  captionPhoto,
  deleteCaption,
  lookUpCaption,
  lookUpCaptions,
  type Operation,
  readHealth,
  readModel,
  readReadiness,
} from "./operations.ts";
import { componentSchemas } from "./schemas.ts";

export type OpenApiDocument = ReturnType<typeof openApiDocument>;

/** The HTTP contract as an OpenAPI 3.1 document, its schemas made from those that the worker itself checks with. */
export function openApiDocument({ version }: { version: string }) {
  return {
    openapi: "3.1.1",
    info: {
      title: "edge-caption",
      version,
      summary: "Captions photos.",
      description:
        "Post a photo and get its caption, each word with how sure the model is of it. Answers are cached by what the photo shows, so the same photo again costs no model run, and can be looked up by its id alone.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "This deployment." }],
    security: [{}, { apiKey: [] }],
    tags: [
      { name: "Captions", description: "From a photo to words." },
      { name: "Service", description: "What answers, and how it is." },
    ],
    paths: {
      "/v1/captions": { post: captionPhoto },
      "/v1/captions/{id}": { get: lookUpCaption, delete: deleteCaption },
      "/v1/captions/lookup": { post: lookUpCaptions },
      "/v1/model": { get: readModel },
      "/healthz": { get: readHealth },
      "/readyz": { get: readReadiness },
    } satisfies Record<string, Partial<Record<"get" | "post" | "delete", Operation>>>,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "Where the deployment asks for a key." },
      },
    },
  };
}
