import { inspect } from "node:util";
import { expect, test } from "vitest";
import { newApiKey } from "../shared/api-key.ts";
import { signatureHeaders } from "../shared/signature.ts";
import { madeImage } from "./fixtures/made-images.ts";
import { findLeaks, secretMark } from "./support/leaks.ts";

const formats = ["jpeg", "png", "webp"] as const;
const photos = await Promise.all(formats.map((format) => madeImage(format)));
const { "X-Signature": signature = "" } = await signatureHeaders(
  { method: "POST", target: "/v1/captions", bodyHash: new Uint8Array(32) },
  { secret: secretMark, nowMs: 0 },
);

test.each([
  ["a secret", `{"msg":"bad settings: ${secretMark}"}`],
  ["an API key", `{"error":"unknown key ${newApiKey()}"}`],
  ["an Authorization header", '{"headers":{"authorization":"Basic YTpi"}}'],
  ["a caller's address", '{"error":"too many requests of 203.0.113.7"}'],
  ["a signature", `{"error":"refused ${signature}"}`],
])("finds %s in a line of a log", (what, line) => {
  expect(findLeaks(line)).toContain(what);
});

test.each([
  ["raw", (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")],
  ["as JSON", (bytes: Uint8Array) => JSON.stringify({ body: Buffer.from(bytes) })],
  ["as an array", (bytes: Uint8Array) => JSON.stringify([...bytes])],
  ["as Node shows it", (bytes: Uint8Array) => inspect({ bytes })],
  ["in base64", (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")],
  ["in hexadecimal", (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")],
])("finds a photo's bytes, %s", (_, write) => {
  for (const [index, photo] of photos.entries()) expect(findLeaks(write(photo)), formats[index]).not.toEqual([]);
});

test("takes what servers write for what it is", () => {
  const id = `sha256:${"0f".repeat(32)}`;
  const lines = [
    { level: "info", msg: "request", requestId: crypto.randomUUID(), traceId: "0f".repeat(16), path: "/v1/captions" },
    { level: "warn", msg: "cache entry damaged", path: `caption/0123456789ab/${id}?beam=3&candidates=1` },
    { error: "expected an API key: Authorization: Bearer ec_…" },
  ];
  expect(lines.flatMap((line) => findLeaks(JSON.stringify(line)))).toEqual([]);
});
