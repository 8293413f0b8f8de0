import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hashCaller, parseContentDigest, signatureHeaders, verifySignature } from "../../shared/signature.ts";

const secret = "correct horse battery staple";
const nowMs = 1_700_000_000_123;
const bodyHash = Uint8Array.from({ length: 32 }, (_, index) => index);
const parts = { method: "POST", target: "/v1/captions?beam=3&candidates=1", bodyHash };

const sign = () => signatureHeaders(parts, { secret, nowMs });
const verify = (changes: { method?: string; target?: string; headers?: Record<string, string>; nowMs?: number } = {}) =>
  sign().then((headers) =>
    verifySignature(
      { ...parts, ...changes, headers: new Headers({ ...headers, ...changes.headers }) },
      { secrets: ["another secret of ours", secret], nowMs: changes.nowMs ?? nowMs },
    ),
  );

describe("a request's signature", () => {
  test("is the HMAC-SHA-256 of version, timestamp, method, target and digest, a line each", async () => {
    const digest = `sha-256=:${Buffer.from(bodyHash).toString("base64")}:`;
    const text = ["v1", "1700000000", "POST", "/v1/captions?beam=3&candidates=1", digest].join("\n");
    expect(await sign()).toEqual({
      "Content-Digest": digest,
      "X-Signature-Timestamp": "1700000000",
      "X-Signature": createHmac("sha256", secret).update(text).digest("hex"),
    });
  });

  test("is taken for five minutes, by clocks on either side, and tells the body's hash", async () => {
    expect(await verify()).toEqual(bodyHash);
    expect(await verify({ nowMs: nowMs + 299_000 })).toEqual(bodyHash);
    expect(await verify({ nowMs: nowMs - 299_000 })).toEqual(bodyHash);
  });

  test.each([
    ["six minutes old", { nowMs: nowMs + 360_000 }],
    ["six minutes ahead", { nowMs: nowMs - 360_000 }],
    ["of another moment", { headers: { "X-Signature-Timestamp": "1700000001" } }],
    ["of another method", { method: "PUT" }],
    ["of another query", { target: "/v1/captions?beam=10&candidates=1" }],
    ["of another body", { headers: { "Content-Digest": `sha-256=:${"A".repeat(43)}=:` } }],
    ["changed in one digit", { headers: { "X-Signature": "0".repeat(64) } }],
    ["without a digest of 32 bytes", { headers: { "Content-Digest": "sha-256=:AAAA:" } }],
    ["with a timestamp that is no number", { headers: { "X-Signature-Timestamp": "1e9" } }],
  ])("is refused when it is %s", async (_, changes) => {
    await expect(verify(changes)).rejects.toMatchObject({ name: "CaptionError", code: "unauthorized" });
  });
});

describe("parseContentDigest", () => {
  test("finds SHA-256 among other digests", () => {
    const base64 = Buffer.from(bodyHash).toString("base64");
    expect(parseContentDigest(`sha-512=:abcd=:, sha-256=:${base64}:`)).toEqual(bodyHash);
    expect(parseContentDigest("sha-512=:abcd=:")).toBeNull();
    expect(parseContentDigest(null)).toBeNull();
  });
});

describe("a caller that the edge tells", () => {
  const caller = "0123456789abcdef0123456789abcdef";
  const signFor = () => signatureHeaders({ ...parts, caller }, { secret, nowMs });
  const verifyHeaders = (headers: Record<string, string>) =>
    verifySignature({ ...parts, headers: new Headers(headers) }, { secrets: [secret], nowMs });

  test("is a line of the signature's second version", async () => {
    const headers = await signFor();
    const text = ["v2", "1700000000", "POST", parts.target, headers["Content-Digest"], caller].join("\n");
    expect(headers["X-Signature"]).toBe(createHmac("sha256", secret).update(text).digest("hex"));
    expect(headers["X-Caller"]).toBe(caller);
    expect(await verifyHeaders(headers)).toEqual(bodyHash);
  });

  test("cannot be changed, taken away or added", async () => {
    const { "X-Caller": _, ...without } = await signFor();
    const added = { ...(await sign()), "X-Caller": caller };
    const changed = { ...without, "X-Caller": "f".repeat(32) };
    for (const headers of [without, added, changed]) {
      await expect(verifyHeaders(headers)).rejects.toMatchObject({ code: "unauthorized" });
    }
  });

  test("may have a priority beside it, which cannot be changed, taken away or added either", async () => {
    const headers = await signatureHeaders({ ...parts, caller, priority: "bulk" }, { secret, nowMs });
    const text = ["v4", "1700000000", "POST", parts.target, headers["Content-Digest"], caller, "bulk"].join("\n");
    expect(headers["X-Signature"]).toBe(createHmac("sha256", secret).update(text).digest("hex"));
    expect(await verifyHeaders(headers)).toEqual(bodyHash);
    const { "X-Priority": priority, ...without } = headers;
    expect(priority).toBe("bulk");
    const { "X-Caller": _, ...alone } = headers;
    const added = { ...(await signFor()), "X-Priority": "bulk" };
    for (const forged of [without, added, { ...headers, "X-Priority": "interactive" }, alone]) {
      await expect(verifyHeaders(forged)).rejects.toMatchObject({ code: "unauthorized" });
    }
  });

  test("may be unknown where the priority is told", async () => {
    const headers = await signatureHeaders({ ...parts, priority: "bulk" }, { secret, nowMs });
    expect(await verifyHeaders(headers)).toEqual(bodyHash);
    await expect(verifyHeaders({ ...headers, "X-Caller": caller })).rejects.toMatchObject({ code: "unauthorized" });
  });

  test("is named alike each time, and otherwise by another secret", async () => {
    const hash = await hashCaller("public 192.0.2.1", secret);
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(await hashCaller("public 192.0.2.1", secret)).toBe(hash);
    expect(await hashCaller("public 192.0.2.2", secret)).not.toBe(hash);
    expect(await hashCaller("public 192.0.2.1", "another secret of ours")).not.toBe(hash);
  });
});
