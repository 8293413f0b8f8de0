import { cancelJob, deleteJob, listJobs, readJob, readJobResults, startJob } from "./job-operations.ts";
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

/** The HTTP contract as an OpenAPI 3.1 document, its schemas made from those that the worker itself uses. */
export function openApiDocument({ version }: { version: string }) {
  return {
    openapi: "3.1.1",
    info: {
      title: "edge-caption",
      version,
      summary: "Captions photos.",
      description:
        "Post a photo and get its caption, with the model's confidence in each word. Answers are cached by what the photo shows, so the same photo again needs no model run and can be looked up by its id alone.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "This deployment." }],
    security: [{}, { apiKey: [] }],
    tags: [
      { name: "Captions", description: "Captions of photos." },
      {
        name: "Jobs",
        description:
          "Captions of whole buckets and lists of addresses, made in the background. Only for keys with the scope `jobs`, each of which sees its own; 404 where a deployment has none.",
      },
      { name: "Service", description: "The deployment and its model." },
    ],
    paths: {
      "/v1/captions": { post: captionPhoto },
      "/v1/captions/{id}": { get: lookUpCaption, delete: deleteCaption },
      "/v1/captions/lookup": { post: lookUpCaptions },
      "/v1/jobs": { post: startJob, get: listJobs },
      "/v1/jobs/{id}": { get: readJob, delete: deleteJob },
      "/v1/jobs/{id}/results": { get: readJobResults },
      "/v1/jobs/{id}/cancel": { post: cancelJob },
      "/v1/model": { get: readModel },
      "/healthz": { get: readHealth },
      "/readyz": { get: readReadiness },
    } satisfies Record<string, Partial<Record<"get" | "post" | "delete", Operation>>>,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "For deployments that require a key." },
      },
    },
  };
}
