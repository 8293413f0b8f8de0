import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { findBadVariable, readSettings } from "../../edge/settings.ts";
import { callWorker, readProblem, watchConsole } from "./call-worker.ts";

const required = {
  CAPTIONS: env.CAPTIONS,
  KEYS: env.KEYS,
  FLIGHTS: env.FLIGHTS,
  TOMBSTONES: env.TOMBSTONES,
  SERVICE_ORIGINS: "https://captions.example.com",
  SERVICE_SECRET: "0123456789abcdef",
};

describe("settings", () => {
  test("have defaults for all but the service, its secret and KV", () => {
    expect(readSettings(required)).toMatchObject({
      maxBytes: 20_971_520,
      maxPixels: 100_000_000,
      maxAvifPixels: 50_000_000,
      cacheTtlSeconds: 2_592_000,
      modelRefreshSeconds: 60,
      upstreamTimeoutMs: 25_000,
    });
  });

  test("take several services, in order", () => {
    const SERVICE_ORIGINS = "https://b.example, https://a.example:8443/";
    const { serviceOrigins } = readSettings({ ...required, SERVICE_ORIGINS });
    expect(serviceOrigins).toEqual(["https://b.example", "https://a.example:8443"]);
  });

  test("name hosts of photos in a list, or say any or none", () => {
    const hosts = (text: string) => readSettings({ ...required, SOURCE_HOSTS: text }).sourceHosts;
    expect(hosts(" photos.example,, *.CDN.example ")).toEqual(["photos.example", "*.cdn.example"]);
    expect([hosts("any"), hosts("none")]).toEqual(["any", "none"]);
  });

  test("come as text, as Cloudflare hands variables over", () => {
    expect(readSettings({ ...required, MAX_BYTES: "1000" }).maxBytes).toBe(1000);
  });

  test("name a collector of traces with its headers, whose values are percent-encoded", () => {
    const OTEL_EXPORTER_OTLP_ENDPOINT = "https://otlp.example.com/base/";
    const OTEL_EXPORTER_OTLP_HEADERS = "Authorization=Bearer%20a%2Cb==, x-team=photos,";
    const named = { ...required, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS };
    expect(readSettings({ ...named, OTEL_TRACES_SAMPLER_ARG: "0.1" }).traces).toEqual({
      url: "https://otlp.example.com/base/v1/traces",
      headers: { Authorization: "Bearer a,b==", "x-team": "photos" },
      share: 0.1,
    });
  });

  test.each(["https://captions.example.com", "http://localhost:8788", "http://127.0.0.1:8788", "http://[::1]:8788/"])(
    "take %s for a service",
    (origin) => {
      expect(readSettings({ ...required, SERVICE_ORIGINS: origin }).serviceOrigins).toEqual([new URL(origin).origin]);
    },
  );

  test.each([
    ["SERVICE_ORIGINS", undefined],
    ["SERVICE_ORIGINS", "not an address"],
    ["SERVICE_ORIGINS", " , "],
    ["SERVICE_ORIGINS", "http://captions.example.com"],
    ["SERVICE_ORIGINS", "https://captions.example.com, http://captions.example.com"],
    ["SERVICE_ORIGINS", "https://captions.example.com/v1"],
    ["SERVICE_SECRET", undefined],
    ["SERVICE_SECRET", "too short"],
    ["CAPTIONS", undefined],
    ["FLIGHTS", undefined],
    ["TOMBSTONES", undefined],
    ["KEYS", undefined],
    ["ACCESS", "everybody"],
    ["PUBLIC_LIMIT", {}],
    ["PUBLIC_LIMIT_POLICY", "100/30"],
    ["FACADES", "max, imagenet"],
    ["CORS_ORIGINS", "photos.example.com"],
    ["CORS_ORIGINS", "https://photos.example.com/page"],
    ["MAX_BYTES", "many"],
    ["MAX_BYTES", "1e9"],
    ["CACHE_TTL_SECONDS", "59"],
    ["UPSTREAM_TIMEOUT_MS", "60000"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "Bearer 1"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%2"],
    ["OTEL_TRACES_SAMPLER_ARG", "10"],
  ])("that are bad end in a bland 500, and in a log that names %s: %j", async (name, value) => {
    const errors = watchConsole("error");
    const problem = await readProblem(await callWorker("/v1/model", { environment: { [name]: value } }), "internal");
    expect(problem.detail).toBe("something went wrong on our side");
    expect(JSON.stringify(errors())).toContain(`at ${name}`);
  });
});

describe("a variable that somebody wants to set", () => {
  test("is fine where the worker reads it and its value can be used", () => {
    expect(findBadVariable({ CORS_ORIGINS: "*", ACCESS: "keys", MAX_BYTES: "1000" })).toBeUndefined();
  });

  test.each([
    [{ ACCESS: "keys", CORS: "*" }, "CORS: the edge has no such setting"],
    [{ CORS_ORIGINS: "me" }, /^CORS_ORIGINS: expected origins such as /],
    [{ CAPTIONS: "captions" }, "CAPTIONS: expected a binding of a KV namespace"],
  ])("is told of where it is not: %j", (variables, problem) => {
    expect(findBadVariable(variables)).toMatch(problem);
  });
});
