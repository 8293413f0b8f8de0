import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { newApiKey } from "../../shared/api-key.ts";
import { byteIdOf } from "../../shared/photo-id.ts";
import {
  callWorker,
  faultyService,
  freshPhoto,
  postPhoto,
  readCaption,
  readProblem,
  startFreshDeployment,
  watchWarnings,
} from "./call-worker.ts";
import { madeKey } from "./made-keys.ts";

const keysOnly = { ACCESS: "keys" };
const both = { ACCESS: "both" };

beforeEach(startFreshDeployment);

/** Makes a limiter that lets a number of requests of each caller pass and records the callers. */
function limiter(limit: number) {
  const counts: Record<string, number> = {};
  return {
    counts,
    limit: async ({ key }: { key: string }) => {
      counts[key] = (counts[key] ?? 0) + 1;
      return { success: counts[key] <= limit };
    },
  };
}

const from = (ip: string) => ({ "CF-Connecting-IP": ip });

describe("where keys are needed", () => {
  test.each([
    ["upload", () => postPhoto(freshPhoto(), { environment: keysOnly })],
    ["look-up", () => callWorker(`/v1/captions/sha256:${"0".repeat(64)}`, { environment: keysOnly })],
    [
      "look-up of many",
      () => callWorker("/v1/captions/lookup", { method: "POST", body: '{"ids":[]}', environment: keysOnly }),
    ],
    ["question for the model", () => callWorker("/v1/model", { environment: keysOnly })],
  ])("a %s without one is 401, and says how to send one", async (_, call) => {
    const response = await call();
    expect(response.headers.get("WWW-Authenticate")).toBe('Bearer realm="edge-caption"');
    expect((await readProblem(response, "unauthorized")).detail).toContain("Authorization: Bearer ec_");
  });

  test("an upload with one is captioned", async () => {
    const { headers } = await madeKey();
    await readCaption(await postPhoto(freshPhoto(), { headers, environment: keysOnly }));
  });

  test.each([
    ["another scheme", async () => "Basic YTpi"],
    ["no key of ours", async () => "Bearer hf_abc"],
    ["an unknown key", async () => `Bearer ${newApiKey()}`],
    [
      "a revoked key",
      async () => {
        const { headers, path } = await madeKey();
        await env.KEYS.delete(path);
        return headers.Authorization;
      },
    ],
  ])("%s is 401", async (_, authorization) => {
    const headers = { Authorization: await authorization() };
    await readProblem(await postPhoto(freshPhoto(), { headers, environment: keysOnly }), "unauthorized");
  });

  test("a key without the scope is 403", async () => {
    const { headers } = await madeKey({ scopes: ["admin"] });
    const problem = await readProblem(await postPhoto(freshPhoto(), { headers, environment: keysOnly }), "forbidden");
    expect(problem.detail).toBe("expected a key with the scope caption, received one with admin");
  });

  test("health is told without", async () => {
    expect((await callWorker("/healthz", { environment: keysOnly })).status).toBe(200);
    expect((await callWorker("/readyz", { environment: keysOnly })).status).toBe(200);
  });
});

describe("where the public may call", () => {
  test("a request without key is captioned, and a bad one is refused where keys count, too", async () => {
    await readCaption(await postPhoto(freshPhoto(), { environment: both }));
    const headers = { Authorization: "Bearer hf_abc" };
    await readProblem(await postPhoto(freshPhoto(), { headers, environment: both }), "unauthorized");
    await readCaption(await postPhoto(freshPhoto(), { headers, environment: { ACCESS: "public" } }));
  });

  test("is limited by address, an IPv6 network as one, and told so", async () => {
    const PUBLIC_LIMIT = limiter(1);
    const environment = { PUBLIC_LIMIT, PUBLIC_LIMIT_POLICY: "1/10" };
    const call = (ip: string) => callWorker("/v1/model", { headers: from(ip), environment });
    const first = await call("203.0.113.7");
    expect(first.headers.get("RateLimit-Policy")).toBe('"public";q=1;w=10');
    const second = await call("203.0.113.7");
    expect(second.headers.get("Retry-After")).toBe("10");
    expect(second.headers.get("RateLimit-Policy")).toBe('"public";q=1;w=10');
    expect((await readProblem(second, "rate_limited")).detail).toContain("at most 1 requests in 10 seconds (public)");
    for (const ip of ["203.0.113.8", "2001:db8:1:2::1", "2001:DB8:1:2:3:4:5:6", "2001:db8:1:3::1"]) await call(ip);
    expect(PUBLIC_LIMIT.counts).toEqual({
      "203.0.113.7": 2,
      "203.0.113.8": 1,
      "2001:db8:1:2": 2,
      "2001:db8:1:3": 1,
    });
  });

  test("is limited together with all others, those over their own limit not counted, keys not either", async () => {
    const OVERALL_LIMIT = limiter(3);
    const environment = { ...both, PUBLIC_LIMIT: limiter(2), OVERALL_LIMIT, OVERALL_LIMIT_POLICY: "3/10" };
    const call = (headers: Record<string, string>) => callWorker("/v1/model", { headers, environment });
    const first = await call(from("203.0.113.1"));
    expect(first.headers.get("RateLimit-Policy")).toBe('"public";q=60;w=60, "overall";q=3;w=10');
    await call(from("203.0.113.1"));
    await readProblem(await call(from("203.0.113.1")), "rate_limited");
    expect((await call(from("203.0.113.2"))).status).toBe(200);
    const refused = await call(from("203.0.113.3"));
    expect(refused.headers.get("Retry-After")).toBe("10");
    expect((await readProblem(refused, "rate_limited")).detail).toContain(
      "at most 3 requests in 10 seconds from all callers",
    );
    expect((await call((await madeKey()).headers)).status).toBe(200);
    expect(OVERALL_LIMIT.counts).toEqual({ public: 4 });
  });

  test("is limited before the body is read", async () => {
    const environment = { PUBLIC_LIMIT: limiter(0) };
    await readProblem(await postPhoto(new Uint8Array(), { environment }), "rate_limited");
  });

  test("is limited by a real binding", async () => {
    const { PUBLIC_LIMIT } = env as unknown as { PUBLIC_LIMIT: RateLimit };
    const call = () => callWorker("/v1/model", { headers: from("198.51.100.1"), environment: { PUBLIC_LIMIT } });
    const answers = await Promise.all(Array.from({ length: 70 }, call));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
  });

  test("is not limited while the limiter fails", async () => {
    watchWarnings();
    const environment = { PUBLIC_LIMIT: { limit: () => Promise.reject(new Error("no counter")) } };
    await readCaption(await postPhoto(freshPhoto(), { environment }));
  });
});

describe("a key's tier", () => {
  test.each(["standard", "high"] as const)("has a limit of its own, counted by key: %s", async (tier) => {
    const limits = { PUBLIC_LIMIT: limiter(0), STANDARD_LIMIT: limiter(1), HIGH_LIMIT: limiter(1) };
    const { headers, id } = await madeKey({ tier });
    const call = () => callWorker("/v1/model", { headers, environment: { ...both, ...limits } });
    const first = await call();
    expect(first.status).toBe(200);
    expect(first.headers.get("RateLimit-Policy")).toBe(
      tier === "standard" ? '"standard";q=600;w=60' : '"high";q=6000;w=60',
    );
    await readProblem(await call(), "rate_limited");
    expect(limits[tier === "standard" ? "STANDARD_LIMIT" : "HIGH_LIMIT"].counts).toEqual({ [id]: 2 });
  });

  test("does not help who guesses keys: those count as public", async () => {
    const environment = { ...keysOnly, PUBLIC_LIMIT: limiter(1) };
    const guess = () => callWorker("/v1/model", { headers: { Authorization: `Bearer ${newApiKey()}` }, environment });
    await readProblem(await guess(), "unauthorized");
    await readProblem(await guess(), "rate_limited");
  });
});

describe("while the keys cannot be read", () => {
  const KEYS = { getWithMetadata: () => Promise.reject(new Error("KV is down")) };

  test("their holders count as public where the public may call", async () => {
    watchWarnings();
    const { headers } = await madeKey();
    const environment = { ...both, KEYS, PUBLIC_LIMIT: limiter(1) };
    const response = await postPhoto(freshPhoto(), { headers, environment });
    expect(response.headers.get("RateLimit-Policy")).toContain("public");
    await readCaption(response);
  });

  test("and only keys may call, the answer is 503", async () => {
    watchWarnings();
    const { headers } = await madeKey();
    const response = await postPhoto(freshPhoto(), { headers, environment: { ...keysOnly, KEYS } });
    expect(response.headers.get("Retry-After")).toBe("5");
    await readProblem(response, "overloaded");
  });
});

describe("a deletion", () => {
  const remove = (id: string, call: Parameters<typeof callWorker>[1] = {}) =>
    callWorker(`/v1/captions/${id}`, { method: "DELETE", ...call });
  const admin = () => madeKey({ scopes: ["admin"] });

  test("takes an admin key even where everything else is public", async () => {
    const id = await byteIdOf(freshPhoto());
    await readProblem(await remove(id), "unauthorized");
    await readProblem(await remove(id, { headers: (await madeKey()).headers }), "forbidden");
    expect((await remove(id, { headers: (await admin()).headers })).status).toBe(200);
  });

  test.each(["id", "contentId"] as const)(
    "by %s removes a photo's captions with all options, here and everywhere",
    async (name) => {
      const photo = freshPhoto();
      const queries = ["?beam=1", "?beam=3&candidates=2", "?beam=10&candidates=5"];
      const results = [];
      for (const query of queries) results.push(await readCaption(await postPhoto(photo, { query })));
      const [result] = results;
      const response = await remove(String(result?.[name]), { headers: (await admin()).headers });
      expect(await response.json()).toEqual({
        id: result?.[name],
        revision: result?.model.revision,
        lastsSeconds: 3660,
      });
      for (const query of queries) {
        for (const id of [result?.id, result?.contentId]) {
          expect((await callWorker(`/v1/captions/${id}${query}`)).status).toBe(404);
        }
        const again = await postPhoto(photo, { query });
        expect(again.headers.get("Cache-Status")).toBe("edge-caption; fwd=miss; stored");
      }
    },
  );

  test("of what KV does not give up says how long that lasts", async () => {
    watchWarnings();
    const { id } = await readCaption(await postPhoto(freshPhoto()));
    const CAPTIONS = {
      getWithMetadata: (key: string) => env.CAPTIONS.getWithMetadata(key),
      get: (key: string) => env.CAPTIONS.get(key),
      put: () => Promise.resolve(),
      delete: () => Promise.reject(new Error("KV is down")),
    };
    const response = await remove(id, { headers: (await admin()).headers, environment: { CAPTIONS } });
    expect(await response.json()).toMatchObject({ lastsSeconds: 2_592_000 });
  });

  test("with options is 400: it would leave the others", async () => {
    const id = await byteIdOf(freshPhoto());
    await readProblem(await remove(`${id}?beam=3`, { headers: (await admin()).headers }), "invalid_request");
  });
});

describe("the service is told whose photo it is", () => {
  const environment = { ...faultyService("otherRevision"), ...both };
  const callerOf = async (headers: Record<string, string>): Promise<string> => {
    const { caption } = await readCaption(await postPhoto(freshPhoto(), { headers, environment }));
    return JSON.parse(caption)["x-caller"]; // that service captions by what it was sent
  };

  test("by a hash, the same each time, of an address or a key", async () => {
    const { headers } = await madeKey();
    const [one, again, other, key] = [
      await callerOf(from("192.0.2.1")),
      await callerOf(from("192.0.2.1")),
      await callerOf(from("192.0.2.2")),
      await callerOf({ ...from("192.0.2.1"), ...headers }),
    ];
    expect(one).toMatch(/^[0-9a-f]{32}$/);
    expect(again).toBe(one);
    expect(new Set([one, other, key]).size).toBe(3);
  });

  test("whatever a client says of it", async () => {
    expect(await callerOf({ ...from("192.0.2.1"), "X-Caller": "f".repeat(32) })).toBe(
      await callerOf(from("192.0.2.1")),
    );
  });
});
