import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { isolateState } from "../../edge/isolate-state.ts";
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
import type { FaultyServiceName } from "./provided-context.ts";

beforeEach(async () => {
  await startFreshDeployment();
  await callWorker("/v1/model", { environment: faultyService("otherRevision") }); // so that uploads ask for no revision
  watchWarnings();
});

/** Counts how often a service was asked since. */
function watchQuestions(): (name: FaultyServiceName) => number {
  const spy = vi.spyOn(globalThis, "fetch");
  onTestFinished(() => spy.mockRestore());
  return (name) =>
    spy.mock.calls.filter(([address]) => String(address).startsWith(faultyService(name).SERVICE_ORIGINS)).length;
}

const post = (...names: FaultyServiceName[]) =>
  postPhoto(freshPhoto(), { environment: { ...faultyService(...names), UPSTREAM_TIMEOUT_MS: "1500" } });

describe("a service that fails", () => {
  test.each([
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

  test("is left alone after three requests in a row, and asked again after a while", async () => {
    const questions = watchQuestions();
    for (let upload = 0; upload < 5; upload++) await readCaption(await post("answersHtml", "otherRevision"));
    expect([questions("answersHtml"), questions("otherRevision")]).toEqual([3, 5]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_001 });
    onTestFinished(() => void vi.useRealTimers());
    for (let upload = 0; upload < 3; upload++) await readCaption(await post("answersHtml", "otherRevision"));
    expect(questions("answersHtml")).toBe(4);
  });

  test("is not left alone for a photo that it cannot cope with, as long as it says so by the contract", async () => {
    for (let upload = 0; upload < 4; upload++) await readProblem(await post("crashed"), "upstream_error");
    expect(isolateState.origins.size).toBe(0);
  });

  test("is asked once more where it is the only one, for a connection may break", async () => {
    const photo = freshPhoto();
    await readCaption(await postPhoto(photo, { environment: faultyService("crashesFirst") }));
    expect(isolateState.origins.size).toBe(0);
  });

  test("fails the next uploads at once while it is left alone, and cached captions are still served", async () => {
    const photo = freshPhoto();
    await readCaption(await postPhoto(photo, { environment: faultyService("otherRevision") }));
    for (let upload = 0; upload < 3; upload++) await readProblem(await post("answersHtml"), "upstream_error");
    const questions = watchQuestions();
    expect((await readProblem(await post("answersHtml"), "upstream_error")).detail).toContain("left alone");
    const cached = await postPhoto(photo, { environment: faultyService("answersHtml") });
    expect(cached.headers.get("Cache-Status")).toContain("hit");
    expect(questions("answersHtml")).toBe(0);
  });

  test("is not left alone for photos that it is silent of, as long as it answers others meanwhile", async () => {
    const environment = { ...faultyService("silentOfPng"), UPSTREAM_TIMEOUT_MS: "600" };
    for (let round = 0; round < 4; round++) {
      const slow = Promise.all(
        [1, 2, 3].map(() => postPhoto(image("png"), { environment, query: `?beam=${round + 1}` })),
      );
      await scheduler.wait(100);
      await readCaption(await postPhoto(freshPhoto(), { environment }));
      for (const upload of await slow) await readProblem(upload, "upstream_timeout");
    }
    expect(isolateState.origins.size).toBe(0);
  });

  test("is not blamed for what it could not do in the time that was left", async () => {
    const photo = freshPhoto();
    const environment = { ...faultyService("silent"), UPSTREAM_TIMEOUT_MS: "300" };
    const uploads = await Promise.all(Array.from({ length: 5 }, () => postPhoto(photo, { environment })));
    for (const upload of uploads) await readProblem(upload, "upstream_timeout");
    expect([...isolateState.origins.values()].map(({ failures }) => failures)).toEqual([1]);
  });
});

describe("a lone service that is started again", () => {
  const restarting = faultyService("restarts");
  const restart = async (query: string) => {
    await (await fetch(`${restarting.SERVICE_ORIGINS}/restart?${query}`)).text();
    await scheduler.wait(20); // until its port refuses connections
  };

  test.each(["goneMs=700&startingMs=0", "goneMs=400&startingMs=400", "goneMs=0&startingMs=700"])(
    "is waited for: %s",
    async (query) => {
      await restart(query);
      const uploads = Array.from({ length: 5 }, () => postPhoto(freshPhoto(), { environment: restarting }));
      for (const upload of uploads) await readCaption(await upload);
      expect(isolateState.origins.size).toBe(0);
    },
  );

  test("gets a photo that came when it was gone once, when it is back", async () => {
    const questions = watchQuestions();
    await restart("goneMs=700&startingMs=0");
    await readCaption(await postPhoto(freshPhoto(), { environment: restarting }));
    const posts = vi.mocked(fetch).mock.calls.filter(([, init]) => init?.method === "POST").length;
    expect(posts).toBe(2);
    expect(questions("restarts")).toBeGreaterThan(posts);
  });

  test("is answered for within the time limit where it does not come back, and is not left alone", async () => {
    const begun = Date.now();
    for (let upload = 0; upload < 4; upload++) {
      const environment = { ...faultyService("absent"), UPSTREAM_TIMEOUT_MS: "400" };
      await readProblem(await postPhoto(freshPhoto(), { environment }), "upstream_error");
    }
    expect(Date.now() - begun).toBeGreaterThan(4 * 250);
    expect(isolateState.origins.size).toBe(0);
  });

  test.each(["", "&keepsDeadlines"])(
    "was not to be reached, and is not slow, where it comes back when little time is left%s",
    async (manner) => {
      await restart(`goneMs=700&startingMs=0&silentMs=2000${manner}`);
      const environment = { ...restarting, UPSTREAM_TIMEOUT_MS: "1300" };
      await readProblem(await postPhoto(freshPhoto(), { environment }), "upstream_error");
    },
  );

  test("says itself when to come back where it takes longer", async () => {
    const environment = { ...faultyService("starting"), UPSTREAM_TIMEOUT_MS: "400" };
    const response = await postPhoto(freshPhoto(), { environment });
    expect(response.headers.get("Retry-After")).toBe("7");
    await readProblem(response, "overloaded");
  });

  test("is passed on at once where it is ready and overloaded", async () => {
    const questions = watchQuestions();
    await readProblem(await post("overloaded"), "overloaded");
    expect(questions("overloaded")).toBe(2);
  });

  test("is left alone as any other where another answers", async () => {
    const questions = watchQuestions();
    for (let upload = 0; upload < 5; upload++) await readCaption(await post("absent", "otherRevision"));
    expect(questions("absent")).toBe(3);
  });
});

describe("what a service says", () => {
  test("of the photo is final", async () => {
    const questions = watchQuestions();
    await readProblem(await post("failsFirst", "otherRevision"), "invalid_image");
    expect([questions("failsFirst"), questions("otherRevision")]).toEqual([1, 0]);
  });

  test("of its load is passed on when no other has an answer, whatever else failed", async () => {
    const response = await post("overloaded", "crashed");
    expect(response.headers.get("Retry-After")).toBe("7");
    await readProblem(response, "overloaded");
  });

  test("of a caller's photos is final, and passed on with its Retry-After", async () => {
    const questions = watchQuestions();
    const response = await post("busyWithCaller", "otherRevision");
    expect(response.headers.get("Retry-After")).toBe("3");
    await readProblem(response, "rate_limited");
    expect([questions("busyWithCaller"), questions("otherRevision")]).toEqual([1, 0]);
  });

  test("of its load is not held against it", async () => {
    for (let upload = 0; upload < 3; upload++) await readProblem(await post("overloaded"), "overloaded");
    expect(isolateState.origins.size).toBe(0);
  });
});

test("answers readiness and model from whichever service does", async () => {
  const environment = faultyService("absent", "otherRevision");
  expect((await callWorker("/v1/model", { environment })).status).toBe(200);
  await readProblem(await callWorker("/readyz", { environment }), "upstream_error"); // it knows no such route
});
