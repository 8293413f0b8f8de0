import { beforeEach, describe, expect, inject, test } from "vitest";
import { isolateState } from "../../edge/isolate-state.ts";
import { ServiceClient } from "../../edge/service-client.ts";
import { ServiceOrigins } from "../../edge/service-origins.ts";
import { defaultCaptionOptions } from "../../shared/caption-options.ts";
import { photoIdsOf } from "../../shared/photo-id.ts";
import {
  callWorker,
  faultyService,
  freshPhoto,
  image,
  postPhoto,
  readCaption,
  readProblem,
  startFreshDeployment,
  watchWarnings,
} from "./call-worker.ts";

beforeEach(startFreshDeployment);

describe("a photo while the service is wrong", () => {
  test.each([
    "absent",
    "hangsUpInBody",
    "answersHtml",
    "answersHugeText",
    "answersEmptyObject",
    "answersWithAnotherCaption",
    "answersTooMany",
    "redirects",
    "overloadedProxy",
    "crashed",
  ] as const)("is 502, says nothing of the reason and logs it: %s", async (name) => {
    const warnings = watchWarnings();
    const response = await postPhoto(freshPhoto(), { environment: faultyService(name) });
    const problem = await readProblem(response, "upstream_error");
    expect(problem.detail).toMatch(/^the captioning service/);
    expect(warnings()).toContainEqual(
      expect.objectContaining({
        level: "warn",
        code: "upstream_error",
        requestId: problem.requestId,
        error: expect.objectContaining({ cause: expect.objectContaining({ message: expect.any(String) }) }),
      }),
    );
    expect(isolateState.bufferedBytes).toBe(0);
  });

  test.each([
    ["answersForAnotherPhoto", /the reply is for sha256:0{64}\?/],
    ["answersForOtherOptions", /the reply is for sha256:\w{64}\?beam=10&candidates=5/],
  ] as const)("is 502, and nothing is stored, when the answer is for something else: %s", async (name, why) => {
    const warnings = watchWarnings();
    const photo = freshPhoto();
    await readProblem(await postPhoto(photo, { environment: faultyService(name) }), "upstream_error");
    expect(JSON.stringify(warnings())).toMatch(why);
    const again = await postPhoto(photo, { environment: faultyService("otherRevision") });
    expect(again.headers.get("Cache-Status")).toBe("edge-caption; fwd=miss; stored");
  });

  test.each(["silent", "stallsInBody"] as const)("is 504 at the time limit: %s", async (name) => {
    watchWarnings();
    const begun = Date.now();
    const environment = { ...faultyService(name), UPSTREAM_TIMEOUT_MS: "300" };
    const problem = await readProblem(await postPhoto(freshPhoto(), { environment }), "upstream_timeout");
    // a millisecond or a few may have passed before it was asked
    expect(problem.detail).toMatch(/^the captioning service took more than (300|29\d) ms$/);
    expect(Date.now() - begun).toBeLessThan(2000);
    expect(isolateState.bufferedBytes).toBe(0);
  });

  test("is the service's own 503 with its Retry-After when that is overloaded", async () => {
    watchWarnings();
    const response = await postPhoto(freshPhoto(), { environment: faultyService("overloaded") });
    expect(response.headers.get("Retry-After")).toBe("7");
    expect((await readProblem(response, "overloaded")).detail).toBe("made overloaded");
  });

  test("is 502, and not the service's 401, when the two hold different secrets", async () => {
    const warnings = watchWarnings();
    const environment = { SERVICE_SECRET: "a secret that the service does not know" };
    const problem = await readProblem(await postPhoto(freshPhoto(), { environment }), "upstream_error");
    expect(problem.detail).not.toContain("sign");
    expect(JSON.stringify(warnings())).toContain("status 401, unauthorized");
  });

  test("is not stored: the next upload is captioned", async () => {
    watchWarnings();
    const photo = freshPhoto();
    await postPhoto(photo, { environment: faultyService("answersForAnotherPhoto") });
    expect((await postPhoto(photo)).headers.get("Cache-Status")).toBe("edge-caption; fwd=miss; stored");
  });
});

describe("readiness and model while the service is wrong", () => {
  test.each(["/readyz", "/v1/model"])("%s is 502 when nobody is there", async (path) => {
    watchWarnings();
    await readProblem(await callWorker(path, { environment: faultyService("absent") }), "upstream_error");
  });

  test("/readyz is 503 with Retry-After while the service is not ready", async () => {
    watchWarnings();
    const response = await callWorker("/readyz", { environment: faultyService("starting") });
    expect(response.headers.get("Retry-After")).toBe("7");
    await readProblem(response, "overloaded");
  });
});

describe("what a service says of the photo itself", () => {
  test("counts for nothing: ids, format, size and options are the edge's own, now and when it is looked up", async () => {
    const photo = freshPhoto();
    const environment = faultyService("describesThePhoto");
    const { id, contentId } = await photoIdsOf(photo);
    const told = { id, contentId, image: { format: "jpeg", width: 512, height: 512, bytes: photo.length } };
    expect(await readCaption(await postPhoto(photo, { environment }))).toMatchObject(told);
    expect(await readCaption(await callWorker(`/v1/captions/${contentId}`, { environment }))).toMatchObject(told);
    expect((await callWorker(`/v1/captions/content:${"f".repeat(64)}`, { environment })).status).toBe(404);
  });

  test("is left out for a photo without a content id, too", async () => {
    const photo = new Uint8Array([...image("gif"), ...crypto.getRandomValues(new Uint8Array(8))]);
    const result = await readCaption(await postPhoto(photo, { environment: faultyService("describesThePhoto") }));
    expect(result).not.toHaveProperty("contentId");
    expect(result.image.bytes).toBe(photo.length);
  });
});

test("a photo of bulk priority is sent to the service as one, signed", async () => {
  const origin = inject("serviceOrigin");
  const bytes = freshPhoto();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const client = new ServiceClient({
    origins: new ServiceOrigins({ origins: [origin], restSeconds: 10 }),
    secret: inject("serviceSecret"),
    timeoutMs: 20_000,
    traceHeaders: {},
  });
  const { id } = await client.caption({
    photo: { ...(await photoIdsOf(bytes)), bytes, hash, format: "jpeg", width: 512, height: 512 },
    options: defaultCaptionOptions,
    deadlineAtMs: Date.now() + 20_000,
    caller: "public a job",
    priority: "bulk",
  });
  const metrics = await (await fetch(`${origin}/metrics`)).text();

  expect(id).toBe((await photoIdsOf(bytes)).id);
  expect(metrics).toMatch(/edge_caption_requests_total\{outcome="ok",priority="bulk"\} [1-9]/);
});
