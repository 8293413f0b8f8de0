import { Hono } from "hono";
import { etag } from "hono/etag";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { timing } from "hono/timing";
import { captionPhoto } from "./caption-photo.ts";
import { headersOf304 } from "./caption-response.ts";
import { type EdgeEnv, wire } from "./edge-env.ts";
import { lookUpCaption, lookUpMany } from "./look-up-caption.ts";
import { answerError, answerUnknownPath, answerWrongMethod } from "./problems.ts";
import { answerHealth, answerModel, answerReadiness } from "./status.ts";

const app = new Hono<EdgeEnv>();

app.use(requestId({ limitLength: 128 }));
app.use(timing({ totalDescription: "" }));
app.use(methodNotAllowed({ app, onMethodNotAllowed: answerWrongMethod }));

app.get("/healthz", answerHealth);
app.get("/readyz", wire, answerReadiness);
app.get("/v1/model", wire, answerModel);
app.post("/v1/captions", wire, captionPhoto);
app.post("/v1/captions/lookup", wire, lookUpMany);
app.get("/v1/captions/:id", wire, etag({ retainedHeaders: headersOf304 }), lookUpCaption);

app.notFound(answerUnknownPath);
app.onError(answerError);

export default app;
