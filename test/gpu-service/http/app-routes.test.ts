import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { modelCardSchema, serviceReadinessSchema } from "../../../shared/contract.ts";
import { problemOf, type RunningService, startService } from "../running-service.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(async () => {
  await service.stop();
});

test("shows the model's card to anybody", async () => {
  const response = await get("/v1/model");

  expect(response.status).toBe(200);
  expect(modelCardSchema.strict().parse(await response.json()).id).toBe("tiny");
});

test.each(["/livez", "/health", "/ping", "/v2/health/live"])("says at %s that it lives", async (path) => {
  expect((await get(path)).status).toBe(200);
});

test.each(["/readyz", "/v2/health/ready"])("says at %s what it is ready with", async (path) => {
  const response = await get(path);

  expect(response.status).toBe(200);
  const readiness = serviceReadinessSchema.parse(await response.json());
  expect(readiness).toMatchObject({
    status: "ready",
    engine: "onnx",
    device: "cpu",
    fallback: false,
    engines: { ready: 1, expected: 1 },
  });
});

test.each([
  ["/livez", "HTTP/1.0", "200 OK"],
  ["/health", "HTTP/1.0", "200 OK"],
  ["/ping", "HTTP/1.0", "200 OK"],
  ["/v2/health/live", "HTTP/1.0", "200 OK"],
  ["/readyz", "HTTP/1.0", "200 OK"],
  ["/v2/health/ready", "HTTP/1.0", "200 OK"],
  ["/metrics", "HTTP/1.0", "200 OK"],
  ["/nothing", "HTTP/1.0", "404 Not Found"],
  ["/livez", "HTTP/1.1", "400 Bad Request"], // which must have a Host
])("answers GET %s %s without Host with %s, as load balancers ask", async (path, version, status) => {
  const { hostname, port } = new URL(service.origin);
  const socket = connect(Number(port), hostname);
  socket.end(`GET ${path} ${version}\r\n\r\n`);
  expect(await text(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\n`));
});

test("answers HEAD like GET, without the body", async () => {
  const response = await fetch(`${service.origin}/readyz`, { method: "HEAD" });

  expect(response.status).toBe(200);
  expect(await response.text()).toBe("");
});

test.each(["/v1/model", "/metrics", "/nothing"])("lets no browser run, frame or sniff what is at %s", async (path) => {
  const { headers } = await get(path);

  expect(headers.get("Content-Security-Policy")).toBe("default-src 'none'; frame-ancestors 'none'");
  expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
  expect(headers.get("Strict-Transport-Security")).toBeNull();
});

test("knows nothing at another path", async () => {
  const response = await get("/v1/caption");

  expect(response.status).toBe(404);
  expect(await problemOf(response)).toMatchObject({ code: "not_found", detail: 'there is nothing at "/v1/caption"' });
});

test.each([
  { method: "GET", path: "/v1/captions", allow: "POST" },
  { method: "DELETE", path: "/v1/model", allow: "GET, HEAD" },
  { method: "POST", path: "/readyz", allow: "GET, HEAD" },
])("refuses $method $path and names what it allows", async ({ method, path, allow }) => {
  const response = await fetch(`${service.origin}${path}`, { method });

  expect(response.status).toBe(405);
  expect(response.headers.get("Allow")).toBe(allow);
  expect(await problemOf(response)).toMatchObject({ code: "method_not_allowed" });
});

describe("X-Request-Id", () => {
  test("is the caller's own", async () => {
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    const response = await get("/v1/unknown", { "X-Request-Id": "caller-17", traceparent });

    expect(response.headers.get("X-Request-Id")).toBe("caller-17");
    const logged = {
      level: "info",
      msg: "request",
      requestId: "caller-17",
      traceId,
      status: 404,
      outcome: "not_found",
    };
    await vi.waitFor(() => expect(service.logged.at(-1)).toMatchObject(logged));
  });

  test("of a probe is no line in the log", async () => {
    const lines = service.logged.length;
    await get("/livez");

    expect(service.logged).toHaveLength(lines);
  });

  test.each(["<script>", "x".repeat(129)])("is made anew in place of %s", async (id) => {
    const response = await get("/v1/unknown", { "X-Request-Id": id });

    const { requestId } = await problemOf(response);
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get("X-Request-Id")).toBe(requestId);
  });
});

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${service.origin}${path}`, { headers });
}
