import { Hono } from "hono";
import { etag } from "hono/etag";
import { requestId } from "hono/request-id";
import { timing } from "hono/timing";
import { access } from "./access.ts";
import { CaptionFlight } from "./caption-flight.ts";
import { captionPhoto } from "./caption-photo.ts";
import { headersOf304 } from "./caption-response.ts";
import { facade, facadePaths } from "./compat/facade.ts";
import { captionAsHuggingFace } from "./compat/hugging-face.ts";
import { predictAsMax } from "./compat/max-caption-generator.ts";
import { provideContext } from "./context.ts";
import { deleteCaption } from "./delete-caption.ts";
import { drainBody } from "./drain-body.ts";
import type { EdgeEnv } from "./edge-env.ts";
import { answerError, answerUnknownPath } from "./error-handler.ts";
import { lookUpCaption, lookUpMany } from "./look-up-caption.ts";
import { pageFiles } from "./page-files.ts";
import { PhotoTombstone } from "./photo-tombstone.ts";
import { recordRequest } from "./request-record.ts";
import { allowOrigins, securityHeaders } from "./response-headers.ts";
import { expectMethod, routeMethods } from "./route-methods.ts";
import { answerHealth, answerModel, answerReadiness } from "./status.ts";

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

app.get("/healthz", answerHealth);
app.get("/readyz", provideContext, answerReadiness);
app.use("/v1/*", provideContext);
app.get("/v1/model", access("caption"), answerModel);
app.post("/v1/captions", access("caption"), captionPhoto);
app.post("/v1/captions/lookup", access("caption"), lookUpMany);
app.get("/v1/captions/:id", access("caption"), etag({ retainedHeaders: headersOf304 }), lookUpCaption);
app.delete("/v1/captions/:id", access("admin"), deleteCaption);
app.post(facadePaths.max, facade, provideContext, access("caption"), predictAsMax);
app.post(facadePaths.huggingface, facade, provideContext, access("caption"), captionAsHuggingFace);

app.notFound(answerUnknownPath);
app.onError(answerError);

/** The runtime looks for its Durable Object classes in the entry file. */
export { CaptionFlight, PhotoTombstone };
export default app;
