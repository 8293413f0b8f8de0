import { beforeEach, describe, expect, test } from "vitest";
import {
  callWorker,
  faultyService,
  freshPhoto,
  postPhoto,
  startFreshDeployment,
  watchConsole,
  watchWarnings,
} from "./call-worker.ts";

beforeEach(startFreshDeployment);

/** Replaces Analytics Engine, which does nothing on this machine, by a list. */
function dataset() {
  const points: AnalyticsEngineDataPoint[] = [];
  return { points, writeDataPoint: (point: AnalyticsEngineDataPoint) => void points.push(point) };
}

const any = expect.any(Number);

describe("a request leaves one data point and one line of the log", () => {
  test("that tell whether and how the cache answered, what of, and how long it took", async () => {
    const REQUESTS = dataset();
    const lines = watchConsole("info");
    const photo = freshPhoto();
    const posted = await postPhoto(photo, { environment: { REQUESTS } });
    await postPhoto(photo, { environment: { REQUESTS } });
    await callWorker(posted.headers.get("Content-Location") ?? "", { environment: { REQUESTS } });
    const blobs = (cache: string, route: string, method: string) => ["ok", cache, "none", route, method, "public"];
    expect(REQUESTS.points).toEqual([
      {
        indexes: ["/v1/captions"],
        blobs: blobs("stored", "/v1/captions", "POST"),
        doubles: [200, any, photo.length, any, any, any],
      },
      {
        indexes: ["/v1/captions"],
        blobs: blobs("hit", "/v1/captions", "POST"),
        doubles: [200, any, photo.length, any, any, 0],
      },
      {
        indexes: ["/v1/captions/:id"],
        blobs: blobs("hit", "/v1/captions/:id", "GET"),
        doubles: [200, any, 0, 0, any, 0],
      },
    ]);
    expect(lines()).toHaveLength(3);
    expect(lines()[0]).toMatchObject({
      level: "info",
      msg: "request",
      requestId: posted.headers.get("X-Request-Id"),
      route: "/v1/captions",
      status: 200,
      outcome: "ok",
      cache: "stored",
      bytes: photo.length,
    });
    expect(JSON.stringify(lines())).not.toMatch(/sha256:|content:/);
  });

  test.each([
    ["/healthz", {}, "/healthz", "ok", 200],
    ["/nothing/here", {}, "/*", "not_found", 404],
    ["/v1/captions/none", {}, "/v1/captions/:id", "invalid_request", 400],
    ["/v1/model", { method: "POST" }, "/v1/*", "method_not_allowed", 405],
    ["/v1/model", { environment: { SERVICE_SECRET: "" } }, "/v1/model", "internal", 500],
    ["/readyz", { environment: faultyService("absent") }, "/readyz", "upstream_error", 502],
  ])("whatever became of it: %s %o", async (path, call, route, outcome, status) => {
    watchWarnings();
    watchConsole("error");
    const REQUESTS = dataset();
    const { environment = {}, ...rest } = call as { environment?: Record<string, unknown> };
    await callWorker(path, { ...rest, environment: { ...environment, REQUESTS } });
    expect(REQUESTS.points).toHaveLength(1);
    expect(REQUESTS.points[0]).toMatchObject({ indexes: [route] });
    expect(REQUESTS.points[0]?.blobs?.[0]).toBe(outcome);
    expect(REQUESTS.points[0]?.doubles?.[0]).toBe(status);
  });

  test("that tell nothing of the photo when its look-up fails, nor does what is logged besides", async () => {
    const lines = [watchConsole("info"), watchConsole("warn")];
    const path = `/v1/captions/sha256:${"0f".repeat(32)}`;
    expect((await callWorker(path, { environment: faultyService("absent") })).status).toBe(502);
    const logged = JSON.stringify(lines.map((read) => read()));
    expect(logged).toContain('"route":"/v1/captions/:id"');
    expect(logged).toContain('"code":"upstream_error"');
    expect(logged).not.toContain("0f0f");
  });

  test("and none where no dataset is bound, or it fails", async () => {
    const warnings = watchWarnings();
    expect((await callWorker("/healthz")).status).toBe(200);
    const REQUESTS = {
      writeDataPoint: () => {
        throw new Error("no such dataset");
      },
    };
    expect((await callWorker("/healthz", { environment: { REQUESTS } })).status).toBe(200);
    expect(warnings()).toEqual([expect.objectContaining({ msg: "a data point could not be written" })]);
  });
});
