import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { isolateState } from "../../edge/isolate-state.ts";
import { ModelRevision } from "../../edge/model-revision.ts";
import {
  callWorker,
  faultyService,
  freshPhoto,
  postPhoto,
  readCaption,
  startFreshDeployment,
  startFreshIsolate,
  watchWarnings,
} from "./call-worker.ts";

const other = "0123456789ab"; // the revision that the faulty service `otherRevision` has
const miss = "edge-caption; fwd=miss; stored";

beforeEach(startFreshDeployment);

describe("after a change of the model", () => {
  test("an upload gets the new model's caption as soon as any answer has told of it", async () => {
    const photo = freshPhoto();
    const before = await readCaption(await postPhoto(photo));
    const environment = faultyService("otherRevision");
    await postPhoto(freshPhoto(), { environment });
    const after = await postPhoto(photo, { environment });
    expect(after.headers.get("Cache-Status")).toBe(miss);
    expect((await readCaption(after)).model.revision).toBe(other);
    expect(before.model.revision).not.toBe(other);
  });

  test("a look-up no longer finds the old model's caption, in this isolate and in fresh ones", async () => {
    const posted = await postPhoto(freshPhoto());
    const environment = faultyService("otherRevision");
    await postPhoto(freshPhoto(), { environment });
    const address = posted.headers.get("Content-Location") ?? "";
    expect((await callWorker(address, { environment })).status).toBe(404);
    startFreshIsolate();
    expect((await callWorker(address, { environment })).status).toBe(404);
  });

  test("stores a result under the revision that made it, not under the one believed in", async () => {
    const { model } = await readCaption(await postPhoto(freshPhoto()));
    const photo = freshPhoto();
    const { contentId } = await readCaption(await postPhoto(photo, { environment: faultyService("otherRevision") }));
    const address = `${contentId}?beam=3&candidates=1`;
    expect(await env.CAPTIONS.get(`caption/${other}/${address}`)).not.toBeNull();
    expect(await env.CAPTIONS.get(`caption/${model.revision}/${address}`)).toBeNull();
  });

  test("finds the old captions again when the old model comes back", async () => {
    const photo = freshPhoto();
    await postPhoto(photo);
    await postPhoto(freshPhoto(), { environment: faultyService("otherRevision") });
    await postPhoto(freshPhoto());
    expect((await postPhoto(photo)).headers.get("Cache-Status")).toContain("hit");
  });

  test("is learnt from GET /v1/model as well", async () => {
    await postPhoto(freshPhoto());
    await callWorker("/v1/model", { environment: faultyService("otherRevision") });
    expect(isolateState.revision?.value).toBe(other);
    expect(await env.CAPTIONS.get("model-revision")).toBe(other);
  });
});

describe("the revision believed in", () => {
  test("is asked for again in the background once it is old, and the present request is served by the old one", async () => {
    const photo = freshPhoto();
    await postPhoto(photo);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    onTestFinished(() => void vi.useRealTimers());
    const environment = faultyService("otherRevision");
    expect((await postPhoto(photo, { environment })).headers.get("Cache-Status")).toContain("hit");
    expect(isolateState.revision?.value).toBe(other);
    expect((await postPhoto(photo, { environment })).headers.get("Cache-Status")).toBe(miss);
  });

  test("is not asked for again before that", async () => {
    const photo = freshPhoto();
    const { model } = await readCaption(await postPhoto(photo));
    await postPhoto(photo, { environment: faultyService("otherRevision") });
    expect(isolateState.revision?.value).toBe(model.revision);
  });

  test("outlives a refresh that fails", async () => {
    const warnings = watchWarnings();
    const photo = freshPhoto();
    await postPhoto(photo);
    startFreshIsolate(); // what KV tells has no age, so it is asked for at once
    const response = await postPhoto(photo, { environment: faultyService("absent") });
    expect(response.headers.get("Cache-Status")).toContain("hit");
    expect(warnings()).toContainEqual(expect.objectContaining({ msg: "the revision could not be refreshed" }));
  });

  test("is asked for by a look-up that knows none, and then believed", async () => {
    await callWorker(`/v1/captions/sha256:${"0".repeat(64)}`, { environment: faultyService("otherRevision") });
    expect(isolateState.revision?.value).toBe(other);
  });

  test("is not overturned by an answer that was asked for before it was learnt", () => {
    const revision = lonelyRevision();
    const now = Date.now();
    revision.learn(other, { askedAtMs: now });
    revision.learn("aaaaaaaaaaaa", { askedAtMs: now - 5000 });
    expect(isolateState.revision?.value).toBe(other);
    revision.learn("aaaaaaaaaaaa", { askedAtMs: now + 5000 });
    expect(isolateState.revision?.value).toBe("aaaaaaaaaaaa");
  });

  test("is not overturned by what KV remembers when that comes later", async () => {
    await env.CAPTIONS.put("model-revision", "aaaaaaaaaaaa");
    const revision = lonelyRevision();
    const recalled = revision.current();
    revision.learn(other, { askedAtMs: Date.now() });
    expect(await recalled).toBe(other);
  });
});

/** Makes a revision without a service to ask. */
function lonelyRevision(): ModelRevision {
  const service = { modelCard: () => Promise.reject(new Error("not asked here")) };
  return new ModelRevision({ kv: env.CAPTIONS, service, refreshSeconds: 60, waitUntil: () => undefined });
}
