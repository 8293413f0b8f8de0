import { beforeEach, describe, expect, test } from "vitest";
import { callWorker, faultyService, freshPhoto, postPhoto, startFreshDeployment, watchConsole } from "./call-worker.ts";

beforeEach(startFreshDeployment);

const page = "https://photos.example";

describe("every answer", () => {
  const broken = { environment: { SERVICE_SECRET: "" } };
  test.each<[string, Parameters<typeof callWorker>[1], number]>([
    ["/healthz", {}, 200],
    ["/v1/model", {}, 200],
    ["/nothing", {}, 404],
    ["/v1/captions/none", {}, 400],
    ["/v1/model", { method: "PUT" }, 405],
    ["/v1/model", { environment: { ACCESS: "keys" } }, 401],
    ["/v1/model", broken, 500],
    ["/readyz", { environment: faultyService("absent") }, 502],
  ])("lets no browser run, frame or sniff it: %s %o %i", async (path, call, status) => {
    watchConsole("warn");
    watchConsole("error");
    const response = await callWorker(path, call);
    const { headers } = response;
    expect(response.status).toBe(status);
    expect(headers.get("Content-Security-Policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("X-Frame-Options")).toBe("DENY");
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(headers.get("Strict-Transport-Security")).toBe("max-age=15552000");
  });
});

/** Lists every route with its methods. */
const routes: [path: string, methods: string[]][] = [
  ["/healthz", ["GET", "HEAD"]],
  ["/readyz", ["GET", "HEAD"]],
  ["/v1/model", ["GET", "HEAD"]],
  ["/v1/captions", ["POST"]],
  ["/v1/captions/lookup", ["POST"]],
  [`/v1/captions/sha256:${"0".repeat(64)}`, ["GET", "HEAD", "DELETE"]],
  ["/model/predict", ["POST"]],
  ["/models/Salesforce/blip", ["POST"]],
];
const allMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const facades = { FACADES: "max, huggingface" };

const preflight = (path: string, { origin = page, method = "POST", environment = {} }) =>
  callWorker(path, {
    method: "OPTIONS",
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": method,
      "Access-Control-Request-Headers": "authorization,content-type",
    },
    environment: { ...facades, ...environment },
  });

describe.each(routes)("%s", (path, methods) => {
  test.each([
    ["*", "*"],
    [`https://other.example, ${page}`, page],
    [`${page}/`, page],
  ])("answers a preflight with its own methods where CORS_ORIGINS is %s", async (CORS_ORIGINS, allowed) => {
    const { status, headers } = await preflight(path, { environment: { CORS_ORIGINS } });
    expect(status).toBe(204);
    expect(headers.get("Access-Control-Allow-Origin")).toBe(allowed);
    expect(headers.get("Access-Control-Allow-Methods")?.split(",")).toEqual(methods);
    expect(headers.get("Allow")).toBe(methods.join(", "));
    const names = headers.get("Access-Control-Allow-Headers")?.toLowerCase().split(",");
    expect(names).toEqual(expect.arrayContaining(["authorization", "content-type", "if-none-match"]));
    expect(headers.get("Access-Control-Max-Age")).toBe("86400");
    expect(headers.get("Vary")?.includes("Origin")).toBe(allowed !== "*");
    expect(headers.get("Access-Control-Allow-Credentials")).toBeNull();
  });

  test("lets no other origin in", async () => {
    const { headers } = await preflight(path, { origin: "https://evil.example", environment: { CORS_ORIGINS: page } });
    expect(headers.get("Access-Control-Allow-Origin")).toBeNull();
    expect(headers.get("Vary")).toContain("Origin");
    const closed = await preflight(path, { environment: { CORS_ORIGINS: "" } });
    expect(closed.status).toBe(405);
    expect(closed.headers.get("Allow")).toBe(methods.join(", "));
    expect(closed.headers.get("Access-Control-Allow-Origin")).toBeNull();
  });

  test("refuses other methods, with its own in Allow, for a page to read", async () => {
    for (const method of allMethods.filter((one) => one !== "OPTIONS" && !methods.includes(one))) {
      const environment = { ...facades, CORS_ORIGINS: page };
      const response = await callWorker(path, { method, headers: { Origin: page }, environment });
      expect([method, response.status]).toEqual([method, 405]);
      expect(response.headers.get("Allow")).toBe(methods.join(", "));
      expect(response.headers.get("Access-Control-Allow-Origin")).toBe(page);
    }
  });

  test("tells a page what went wrong, whatever it is", async () => {
    watchConsole("warn");
    watchConsole("error");
    const [method = ""] = methods;
    for (const broken of [{ ACCESS: "keys" }, { SERVICE_SECRET: "" }, faultyService("absent")]) {
      const environment = { ...facades, CORS_ORIGINS: page, ...broken };
      const { headers } = await callWorker(path, { method, headers: { Origin: page }, environment });
      expect(headers.get("Access-Control-Allow-Origin")).toBe(page);
      const exposed = headers.get("Access-Control-Expose-Headers")?.split(",");
      const names = ["ETag", "Content-Location", "Retry-After", "X-Request-Id", "Cache-Status", "Server-Timing"];
      expect(exposed).toEqual(expect.arrayContaining(names));
    }
  });
});

describe("what is not there", () => {
  test.each(["/model/predict", "/models/a"])("has no methods while its façade is off: %s", async (path) => {
    for (const method of allMethods) {
      const environment = { CORS_ORIGINS: page };
      const response = await callWorker(path, { method, headers: { Origin: page }, environment });
      expect([method, response.status, response.headers.get("Allow")]).toEqual([method, 404, null]);
    }
  });

  test("answers no preflight", async () => {
    expect((await preflight("/v1/nothing", { environment: { CORS_ORIGINS: page } })).status).toBe(404);
  });
});

describe("a page of another origin", () => {
  test("may read what an answer says of itself, errors included", async () => {
    const call = { headers: { Origin: page }, environment: { CORS_ORIGINS: page } };
    for (const photo of [freshPhoto(), new Uint8Array()]) {
      const { headers } = await postPhoto(photo, call);
      expect(headers.get("Access-Control-Allow-Origin")).toBe(page);
      expect(headers.get("Access-Control-Expose-Headers")).toContain("Cache-Status");
      expect(headers.get("Vary")).toContain("Origin");
    }
  });

  test("may read a 304", async () => {
    const environment = { CORS_ORIGINS: page };
    const posted = await postPhoto(freshPhoto(), { environment });
    const response = await callWorker(posted.headers.get("Content-Location") ?? "", {
      headers: { Origin: page, "If-None-Match": posted.headers.get("ETag") ?? "" },
      environment,
    });
    expect(response.status).toBe(304);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe(page);
    expect(response.headers.get("Access-Control-Expose-Headers")).toContain("ETag");
    expect(response.headers.get("Vary")).toContain("Origin");
  });
});
