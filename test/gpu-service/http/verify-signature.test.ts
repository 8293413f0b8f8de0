import { describe, expect, test } from "vitest";
import { verifySignature } from "../../../gpu-service/http/verify-signature.ts";
import { signatureHeaders } from "../../../shared/signature.ts";
import { bodyHash, nowMs, parts, secret, sign } from "../../fixtures/signed-request.ts";

describe("a request's signature", () => {
  const verify = async (
    changes: { method?: string; target?: string; headers?: Record<string, string>; nowMs?: number } = {},
  ) => {
    const headers = new Headers({ ...(await sign()), ...changes.headers });
    const settings = { secrets: ["another secret of ours", secret], nowMs: changes.nowMs ?? nowMs };
    return verifySignature({ ...parts, ...changes, headers }, settings);
  };

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

describe("a caller that the edge tells", () => {
  const caller = "0123456789abcdef0123456789abcdef";
  const signFor = () => signatureHeaders({ ...parts, caller }, { secret, nowMs });
  const verifyHeaders = (headers: Record<string, string>) =>
    verifySignature({ ...parts, headers: new Headers(headers) }, { secrets: [secret], nowMs });
  const expectRefusal = (headers: Record<string, string>) =>
    expect(() => verifyHeaders(headers)).toThrow(expect.objectContaining({ code: "unauthorized" }));

  test("is taken, and cannot be changed, taken away or added", async () => {
    const headers = await signFor();
    expect(verifyHeaders(headers)).toEqual(bodyHash);
    const { "X-Caller": _, ...without } = headers;
    expectRefusal(without);
    expectRefusal({ ...(await sign()), "X-Caller": caller });
    expectRefusal({ ...without, "X-Caller": "f".repeat(32) });
  });

  test("may have a priority beside it, which cannot be changed, taken away or added either", async () => {
    const headers = await signatureHeaders({ ...parts, caller, priority: "bulk" }, { secret, nowMs });
    expect(verifyHeaders(headers)).toEqual(bodyHash);
    const { "X-Priority": _priority, ...without } = headers;
    const { "X-Caller": _caller, ...alone } = headers;
    const added = { ...(await signFor()), "X-Priority": "bulk" };
    for (const forged of [without, added, { ...headers, "X-Priority": "interactive" }, alone]) expectRefusal(forged);
  });

  test("may be unknown where the priority is told", async () => {
    const headers = await signatureHeaders({ ...parts, priority: "bulk" }, { secret, nowMs });
    expect(verifyHeaders(headers)).toEqual(bodyHash);
    expectRefusal({ ...headers, "X-Caller": caller });
  });
});
