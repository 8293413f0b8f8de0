import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hashCaller, parseContentDigest, signatureHeaders } from "../../shared/signature.ts";
import { bodyHash, nowMs, parts, secret, sign } from "../fixtures/signed-request.ts";

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

  test("is a line of the signature's second version", async () => {
    const headers = await signFor();
    const text = ["v2", "1700000000", "POST", parts.target, headers["Content-Digest"], caller].join("\n");
    expect(headers["X-Signature"]).toBe(createHmac("sha256", secret).update(text).digest("hex"));
    expect(headers["X-Caller"]).toBe(caller);
  });

  test("may have a priority beside it, in the fourth version", async () => {
    const headers = await signatureHeaders({ ...parts, caller, priority: "bulk" }, { secret, nowMs });
    const text = ["v4", "1700000000", "POST", parts.target, headers["Content-Digest"], caller, "bulk"].join("\n");
    expect(headers["X-Signature"]).toBe(createHmac("sha256", secret).update(text).digest("hex"));
    expect(headers["X-Priority"]).toBe("bulk");
  });

  test("is named alike each time, and otherwise by another secret", async () => {
    const hash = await hashCaller("public 192.0.2.1", secret);
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(await hashCaller("public 192.0.2.1", secret)).toBe(hash);
    expect(await hashCaller("public 192.0.2.2", secret)).not.toBe(hash);
    expect(await hashCaller("public 192.0.2.1", "another secret of ours")).not.toBe(hash);
  });
});
