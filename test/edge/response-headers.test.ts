import { beforeEach, describe, expect, it } from "vitest";
import { callWorker, faultyService, freshPhoto, postPhoto, startFreshDeployment, watchConsole } from "./call-worker.ts";

beforeEach(startFreshDeployment);

const page = "https://photos.example";

describe("every answer", () => {
  const broken = { environment: { SERVICE_SECRET: "" } };
  it.each<[string, Parameters<typeof callWorker>[1], number]>([
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

describe("a page of another origin", () => {
  const preflight = (CORS_ORIGINS: string) =>
    callWorker("/v1/captions", {
      method: "OPTIONS",
      headers: {
        Origin: page,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
      },
      environment: { CORS_ORIGINS },
    });

  it("may not call unless the setting says so", async () => {
    expect((await preflight("")).status).toBe(405);
    expect((await preflight("https://other.example")).headers.get("Access-Control-Allow-Origin")).toBeNull();
  });

  it.each([
    ["*", "*"],
    [`https://other.example, ${page}`, page],
  ])("may call when the setting names it: %s", async (setting, allowed) => {
    const response = await preflight(setting);
    expect(response.status).toBe(204);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe(allowed);
    expect(response.headers.get("Access-Control-Allow-Headers")).toContain("Authorization");
    expect(response.headers.get("Access-Control-Allow-Methods")).toContain("DELETE");
  });

  it("may read what an answer says of itself, errors included", async () => {
    const call = { headers: { Origin: page }, environment: { CORS_ORIGINS: page } };
    for (const photo of [freshPhoto(), new Uint8Array()]) {
      const { headers } = await postPhoto(photo, call);
      expect(headers.get("Access-Control-Allow-Origin")).toBe(page);
      expect(headers.get("Access-Control-Expose-Headers")).toContain("Cache-Status");
      expect(headers.get("Vary")).toContain("Origin");
    }
  });
});
