import { Hono } from "hono";
import { etag } from "hono/etag";
import { requestId } from "hono/request-id";
import { timing } from "hono/timing";
import { access } from "./access.ts";
import { CaptionFlight } from "./caption-flight.ts";
import { headersOf304 } from "./caption-response.ts";
import { requireFacade } from "./compat/facade.ts";
import { handleHuggingFace } from "./compat/hugging-face.ts";
import { handleMax } from "./compat/max-caption-generator.ts";
import { handleOllamaChat, handleOllamaGenerate, handleOllamaTags } from "./compat/ollama.ts";
import { handleChatCompletion, handleModelList } from "./compat/openai.ts";
import { type EdgeEnv, provideContext } from "./context.ts";
import { handleDeletion } from "./deletion-handler.ts";
import { drainBody } from "./drain-body.ts";
import { handleError, handleNotFound } from "./error-handler.ts";
import { consumeBatch } from "./jobs/consume-batch.ts";
import {
  handleJob,
  handleJobCancel,
  handleJobDeletion,
  handleJobList,
  handleJobStart,
  requireJobs,
} from "./jobs/job-handlers.ts";
import { JobWorkflow } from "./jobs/job-workflow.ts";
import { reconcileJobs } from "./jobs/reconcile.ts";
import { handleJobResults } from "./jobs/result-handler.ts";
import { handleBatchLookup, handleLookup } from "./lookup-handler.ts";
import { pageFiles } from "./page-files.ts";
import { PhotoTombstone } from "./photo-tombstone.ts";
import { recordRequest } from "./request-record.ts";
import { allowOrigins, securityHeaders } from "./response-headers.ts";
import { expectMethod, routeMethods } from "./route-methods.ts";
import { handleHealth, handleModel, handleReadiness } from "./status-handler.ts";
import { handleUpload } from "./upload-handler.ts";

const app = new Hono<EdgeEnv>();

app.use(drainBody);
app.use(pageFiles);
app.use(requestId({ limitLength: 128 }));
app.use(recordRequest);
app.use(timing({ totalDescription: "" }));
app.use(securityHeaders);
app.use(routeMethods(app));
app.use(allowOrigins);
app.use(expectMethod);

app.get("/healthz", handleHealth);
app.get("/readyz", provideContext, handleReadiness);
app.use("/v1/*", provideContext);
app.get("/v1/model", access("caption"), handleModel);
app.post("/v1/captions", access("caption"), handleUpload);
app.post("/v1/captions/lookup", access("caption"), handleBatchLookup);
app.get("/v1/captions/:id", access("caption"), etag({ retainedHeaders: headersOf304 }), handleLookup);
app.delete("/v1/captions/:id", access("admin"), handleDeletion);

app.post("/v1/jobs", requireJobs, access("jobs"), handleJobStart);
app.get("/v1/jobs", requireJobs, access("jobs"), handleJobList);
app.get("/v1/jobs/:id", requireJobs, access("jobs"), handleJob);
app.get("/v1/jobs/:id/results", requireJobs, access("jobs"), handleJobResults);
app.post("/v1/jobs/:id/cancel", requireJobs, access("jobs"), handleJobCancel);
app.delete("/v1/jobs/:id", requireJobs, access("jobs"), handleJobDeletion);

app.post("/model/predict", requireFacade, provideContext, access("caption"), handleMax);
app.post("/models/*", requireFacade, provideContext, access("caption"), handleHuggingFace);
app.post("/v1/chat/completions", requireFacade, access("caption"), handleChatCompletion);
app.get("/v1/models", requireFacade, access("caption"), handleModelList);
app.post("/api/generate", requireFacade, provideContext, access("caption"), handleOllamaGenerate);
app.post("/api/chat", requireFacade, provideContext, access("caption"), handleOllamaChat);
app.get("/api/tags", requireFacade, provideContext, access("caption"), handleOllamaTags);

app.notFound(handleNotFound);
app.onError(handleError);

/** The runtime looks for the classes of Durable Objects and Workflows in the entry file. */
export { CaptionFlight, JobWorkflow, PhotoTombstone };
export default Object.assign(app, {
  queue: consumeBatch,
  scheduled: (_: ScheduledController, environment: unknown) => reconcileJobs(environment),
});
