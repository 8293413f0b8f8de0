import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Deployment } from "../../scripts/start/local-servers.ts";
import { startTinyDeployment } from "../support/deployment.ts";

let deployment: Deployment;

beforeAll(async () => {
  deployment = await startTinyDeployment();
});
afterAll(() => deployment.stop());

function get(path: string): Promise<Response> {
  return fetch(`${deployment.edge}${path}`, { redirect: "manual" });
}

describe("what is answered without the worker", () => {
  test.each(["/", "/docs"])("is a page that may load nothing from elsewhere: %s", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    const policy = (response.headers.get("Content-Security-Policy") ?? "").split("; ");
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'"]));
    expect(policy).toEqual(expect.arrayContaining(["frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]));
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy.join()).not.toMatch(/unsafe|https?:|\*/);
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(response.headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(response.headers.get("Cross-Origin-Opener-Policy")).toBe("same-origin");
    expect(response.headers.get("Strict-Transport-Security")).toBe("max-age=15552000");
    const html = await response.text();
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  test("lets the decoder of HEIC alone run WebAssembly, with its licence beside it", async () => {
    const [decoder = ""] = /\/built\/heic-decoder-\w+\.js/.exec(await (await get("/")).text()) ?? [];
    const policy = (await get(decoder)).headers.get("Content-Security-Policy");
    expect(policy).toBe("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'");
    expect(await (await get("/licences/libheif.txt")).text()).toContain("GNU LESSER GENERAL PUBLIC LICENSE");
  });

  test("keeps for good what has its hash in its name, and asks again for pages", async () => {
    const [script = ""] = /\/built\/main-\w+\.js/.exec(await (await get("/")).text()) ?? [];
    expect((await get(script)).headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
    expect((await get("/")).headers.get("Cache-Control")).toContain("must-revalidate");
  });

  test("is the contract, for every origin to read", async () => {
    const response = await get("/openapi.json");
    expect(response.headers.get("Content-Type")).toBe("application/json");
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(await response.json()).toMatchObject({ openapi: "3.1.1", paths: { "/v1/captions": {} } });
  });

  test("leaves everything else to the worker", async () => {
    const response = await get("/nothing");
    expect(response.status).toBe(404);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  });
});
