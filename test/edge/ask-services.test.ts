import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { isolateState } from "../../edge/isolate-state.ts";
import {
  callWorker,
  faultyService,
  freshPhoto,
  postPhoto,
  readCaption,
  readProblem,
  startFreshDeployment,
  watchWarnings,
} from "./call-worker.ts";
import type { FaultyServiceName } from "./provided-context.ts";

beforeEach(async () => {
  await startFreshDeployment();
  await callWorker("/v1/model", { environment: faultyService("otherRevision") }); // so that uploads ask for no revision
  watchWarnings();
});

/** How often a service was asked since. */
function watchQuestions(): (name: FaultyServiceName) => number {
  const spy = vi.spyOn(globalThis, "fetch");
  onTestFinished(() => spy.mockRestore());
  return (name) =>
    spy.mock.calls.filter(([address]) => String(address).startsWith(faultyService(name).SERVICE_ORIGINS)).length;
}

const post = (...names: FaultyServiceName[]) =>
  postPhoto(freshPhoto(), { environment: { ...faultyService(...names), UPSTREAM_TIMEOUT_MS: "1500" } });

describe("a service that fails", () => {
  it.each([
    "absent",
    "silent",
    "stallsInBody",
    "hangsUpInBody",
    "answersHtml",
    "answersForAnotherPhoto",
    "redirects",
    "overloaded",
    "crashed",
  ] as const)("leaves the photo to the next in the list: %s", async (name) => {
    expect((await readCaption(await post(name, "otherRevision"))).model.id).toBe("other");
  });

  it("is left alone after three requests in a row, and asked again after a while", async () => {
    const questions = watchQuestions();
    for (let upload = 0; upload < 5; upload++) await readCaption(await post("answersHtml", "otherRevision"));
    expect([questions("answersHtml"), questions("otherRevision")]).toEqual([3, 5]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_001 });
    onTestFinished(() => void vi.useRealTimers());
    for (let upload = 0; upload < 3; upload++) await readCaption(await post("answersHtml", "otherRevision"));
    expect(questions("answersHtml")).toBe(4);
  });

  it("is not left alone for a photo that it cannot cope with, as long as it says so by the contract", async () => {
    for (let upload = 0; upload < 4; upload++) await readProblem(await post("crashed"), "upstream_error");
    expect(isolateState.origins.size).toBe(0);
  });

  it("is asked once more where it is the only one, for a connection may break", async () => {
    const photo = freshPhoto();
    await readCaption(await postPhoto(photo, { environment: faultyService("crashesFirst") }));
    expect(isolateState.origins.size).toBe(0);
  });

  it("fails the next uploads at once while it is left alone, and cached captions are still served", async () => {
    const photo = freshPhoto();
    await readCaption(await postPhoto(photo, { environment: faultyService("otherRevision") }));
    for (let upload = 0; upload < 3; upload++) await readProblem(await post("answersHtml"), "upstream_error");
    const questions = watchQuestions();
    expect((await readProblem(await post("answersHtml"), "upstream_error")).detail).toContain("left alone");
    const cached = await postPhoto(photo, { environment: faultyService("answersHtml") });
    expect(cached.headers.get("Cache-Status")).toContain("hit");
    expect(questions("answersHtml")).toBe(0);
  });

  it("is not blamed for what it could not do in the time that was left", async () => {
    const photo = freshPhoto();
    const environment = { ...faultyService("silent"), UPSTREAM_TIMEOUT_MS: "300" };
    const uploads = await Promise.all(Array.from({ length: 5 }, () => postPhoto(photo, { environment })));
    for (const upload of uploads) await readProblem(upload, "upstream_timeout");
    expect([...isolateState.origins.values()].map(({ failures }) => failures)).toEqual([1]);
  });
});

describe("what a service says", () => {
  it("of the photo is final", async () => {
    const questions = watchQuestions();
    await readProblem(await post("failsFirst", "otherRevision"), "invalid_image");
    expect([questions("failsFirst"), questions("otherRevision")]).toEqual([1, 0]);
  });

  it("of its load is passed on when no other has an answer, whatever else failed", async () => {
    const response = await post("overloaded", "crashed");
    expect(response.headers.get("Retry-After")).toBe("7");
    await readProblem(response, "overloaded");
  });

  it("of its load is not held against it", async () => {
    for (let upload = 0; upload < 3; upload++) await readProblem(await post("overloaded"), "overloaded");
    expect(isolateState.origins.size).toBe(0);
  });
});

it("answers readiness and model from whichever service does", async () => {
  const environment = faultyService("absent", "otherRevision");
  expect((await callWorker("/v1/model", { environment })).status).toBe(200);
  await readProblem(await callWorker("/readyz", { environment }), "upstream_error"); // it knows no such route
});
