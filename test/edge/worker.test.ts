import { beforeEach, describe, expect, test } from "vitest";
import { modelCardSchema, serviceReadinessSchema } from "../../shared/contract.ts";
import { callWorker, faultyService, readProblem, startFreshDeployment } from "./call-worker.ts";

beforeEach(startFreshDeployment);

describe("the routes beside captions", () => {
  test("GET /healthz answers without asking anybody, even with no settings", async () => {
    const environment = { CAPTIONS: undefined, SERVICE_SECRET: undefined, ...faultyService("absent") };
    const response = await callWorker("/healthz", { environment });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok" });
    expect(response.headers.get("Cache-Control")).toBe("no-store, no-transform");
  });

  test("GET /readyz tells the readiness of the service behind it", async () => {
    const response = await callWorker("/readyz");
    expect(response.status).toBe(200);
    const { status, service } = await response.json<{ status: string; service: unknown }>();
    expect(status).toBe("ready");
    expect(serviceReadinessSchema.parse(service).engine).toBe("onnx");
  });

  test("GET /v1/model gives the card of the service's model", async () => {
    const response = await callWorker("/v1/model");
    expect(response.status).toBe(200);
    expect(modelCardSchema.parse(await response.json()).revision).toMatch(/^[0-9a-f]{12}$/);
  });
});

describe("what is not there", () => {
  test.each(["/", "/v1", "/v1/captions/", "/v1/captions/a/b", "/V1/model"])("is 404: %s", async (path) => {
    const problem = await readProblem(await callWorker(path), "not_found");
    expect(problem.detail).toBe(`there is nothing at "${path}"`);
  });

  test.each([
    ["GET", "/v1/captions", "POST"],
    ["PUT", "/v1/captions/sha256:0", "GET, HEAD, DELETE"],
    ["POST", "/v1/model", "GET, HEAD"],
    ["POST", "/healthz", "GET, HEAD"],
    ["GET", "/v1/captions/lookup", "POST"],
    ["DELETE", "/v1/captions/lookup", "POST"],
  ])("is 405 with what is allowed: %s %s", async (method, path, allow) => {
    const response = await callWorker(path, { method });
    expect(response.headers.get("Allow")).toBe(allow);
    await readProblem(response, "method_not_allowed");
  });
});

describe("the request id", () => {
  test("is the client's where that is fit to be one", async () => {
    const response = await callWorker("/healthz", { headers: { "X-Request-Id": "build-42_a" } });
    expect(response.headers.get("X-Request-Id")).toBe("build-42_a");
  });

  test.each(["", "a b", 'a"b', "a".repeat(129)])("is a new one where the client's is %j", async (id) => {
    const response = await callWorker("/healthz", { headers: { "X-Request-Id": id } });
    expect(response.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("stands in a problem document as in its header", async () => {
    const response = await callWorker("/nothing", { headers: { "X-Request-Id": "mine" } });
    expect((await readProblem(response, "not_found")).requestId).toBe("mine");
  });
});
