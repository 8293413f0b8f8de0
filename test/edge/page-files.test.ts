import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { callWorker, readProblem, startFreshDeployment } from "./call-worker.ts";

beforeEach(startFreshDeployment);

const call = (path: string, options: Parameters<typeof callWorker>[1] = {}) =>
  callWorker(path, { ...options, environment: { ASSETS: env.ASSETS, ...options.environment } });

describe("the page's files", () => {
  test.each([
    ["/", "text/html"],
    ["/docs", "text/html"],
    ["/openapi.json", "application/json"],
  ])("are answered as they are, with the headers that the page names: %s", async (path, type) => {
    const [got, head] = [await call(path), await call(path, { method: "HEAD" })];
    expect([got.status, head.status]).toEqual([200, 200]);
    expect(got.headers.get("Content-Type")).toContain(type);
    expect(got.headers.get("Content-Security-Policy")).not.toContain("default-src 'none'; frame-ancestors 'none'");
    expect([(await got.text()).length > 0, await head.text()]).toEqual([true, ""]);
  });

  test("are answered with 304 to whoever has them, and with a redirect to where they are", async () => {
    const tag = (await call("/")).headers.get("ETag") ?? "";
    expect((await call("/", { headers: { "If-None-Match": tag } })).status).toBe(304);
    const redirect = await call("/index.html");
    expect([redirect.status, redirect.headers.get("Location")]).toEqual([307, "/"]);
  });

  test.each(["/", "/openapi.json"])("are 405 to any other method, naming those there are: %s", async (path) => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const response = await call(path, { method });
      expect(response.headers.get("Allow")).toBe("GET, HEAD");
      await readProblem(response, "method_not_allowed");
    }
  });

  test("are answered even where a setting is bad", async () => {
    expect((await call("/", { environment: { SERVICE_SECRET: "short" } })).status).toBe(200);
  });

  test.each(["GET", "HEAD", "POST", "PUT"])("that are not there are 404 to %s", async (method) => {
    const response = await call("/nothing", { method });
    if (method === "HEAD") expect(response.status).toBe(404);
    else await readProblem(response, "not_found");
  });
});
