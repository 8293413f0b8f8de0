import { readFile } from "node:fs/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { CaptionClient } from "../../shared/client.ts";
import { CaptionError, type ErrorCode, errorFacts } from "../../shared/errors.ts";
import { contentIdOf } from "../../shared/photo-id.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { freePort } from "../support/free-port.ts";
import { captionOf, idOf, refusal, startScriptedEdge } from "./scripted-edge.ts";

const codes = Object.keys(errorFacts) as ErrorCode[]; // the keys of a const table
const page = { headers: { "Content-Type": "text/html" }, body: "<h1>no healthy upstream</h1>" };

function photo(text: string, type = "image/jpeg"): Blob {
  return new Blob([text], { type });
}

describe("caption", () => {
  test("uploads a photo's bytes with its media type and options, and says whether a cache held the caption", async () => {
    const { origin, received } = await startScriptedEdge(({ body, target }) => ({
      headers: { "Cache-Status": received.length === 1 ? "edge-caption; fwd=miss; stored" : "edge-caption; hit" },
      body: captionOf(body, target),
    }));
    const client = new CaptionClient({ origin });
    const first = await client.caption(photo("dog"), { beam: 5, candidates: 2 });
    const second = await client.caption(photo("dog"));
    expect(received[0]).toMatchObject({ method: "POST", target: "/v1/captions?beam=5&candidates=2", body: "dog" });
    expect(received[0]?.headers["content-type"]).toBe("image/jpeg");
    expect(first).toMatchObject({ isHit: false, result: { caption: "dog", options: { beam: 5, candidates: 2 } } });
    expect(second).toMatchObject({ isHit: true, result: { options: { beam: 3, candidates: 1 } } });
    expect(second.headers.get("Cache-Status")).toBe("edge-caption; hit");
  });

  test("asks for a form, and reads it from the answer", async () => {
    const { origin, received } = await startScriptedEdge(({ body, target }) => ({ body: captionOf(body, target) }));
    const form = { maxWords: 8, style: "sentence", neutral: true, keywords: true } as const;
    const { result } = await new CaptionClient({ origin }).caption(photo("dog"), form);
    expect(received[0]?.target).toBe(
      "/v1/captions?beam=3&candidates=1&maxWords=8&style=sentence&neutral=true&keywords=true",
    );
    expect(result.options).toMatchObject(form);
  });

  test("widens the beam to as many candidates as are asked for", async () => {
    const { origin, received } = await startScriptedEdge(({ body, target }) => ({ body: captionOf(body, target) }));
    await new CaptionClient({ origin }).caption(photo("dog"), { candidates: 4 });
    expect(received[0]?.target).toBe("/v1/captions?beam=4&candidates=4");
  });

  test("does not pass on a media type that would have the photo taken for something else", async () => {
    const { origin, received } = await startScriptedEdge(({ body, target }) => ({ body: captionOf(body, target) }));
    await new CaptionClient({ origin }).caption(photo("dog", "application/json"));
    expect(received[0]?.headers["content-type"]).toBe("application/octet-stream");
  });

  test("sends a stream as it comes, once, even where the edge is busy", async () => {
    const { origin, received } = await startScriptedEdge(() => refusal("overloaded", { "Retry-After": "0" }));
    const asking = new CaptionClient({ origin }).caption(photo("dog").stream());
    await expect(asking).rejects.toMatchObject({ code: "overloaded" });
    expect(received).toMatchObject([{ body: "dog", headers: { "transfer-encoding": "chunked" } }]);
  });

  test("has the edge fetch a photo by its address", async () => {
    const { origin, received } = await startScriptedEdge(({ target }) => ({ body: captionOf("dog", target) }));
    await new CaptionClient({ origin }).captionAt("https://example.com/dog.jpg");
    expect(received[0]).toMatchObject({ method: "POST", body: '{"url":"https://example.com/dog.jpg"}' });
    expect(received[0]?.headers["content-type"]).toBe("application/json");
  });

  test("sends its key with every request", async () => {
    const { origin, received } = await startScriptedEdge(() => refusal("not_found"));
    await new CaptionClient({ origin, apiKey: "ec_key" }).lookUp(idOf("dog"));
    expect(received[0]?.headers.authorization).toBe("Bearer ec_key");
  });
});

describe("looking up", () => {
  test("gives what is stored, and null where nothing is", async () => {
    const { origin } = await startScriptedEdge(({ target }) =>
      target.includes(idOf("dog")) ? { body: captionOf("dog", target) } : refusal("not_found"),
    );
    const client = new CaptionClient({ origin });
    expect((await client.lookUp(idOf("dog")))?.result.caption).toBe("dog");
    expect(await client.lookUp(idOf("cat"))).toBeNull();
  });

  test("throws what is no answer about the photo", async () => {
    const { origin } = await startScriptedEdge(() => ({ status: 404, ...page }));
    await expect(new CaptionClient({ origin }).lookUp(idOf("dog"))).rejects.toMatchObject({ code: "upstream_error" });
  });

  test("asks for any number of ids by the hundred, and for each once", async () => {
    const ids = Array.from({ length: 250 }, (_, index) => idOf(String(index)));
    const { origin, received } = await startScriptedEdge(({ target, body }) => {
      const asked: string[] = JSON.parse(body).ids;
      const found = asked.filter((id) => id === ids[3] || id === ids[203]);
      const missing = asked.filter((id) => !found.includes(id));
      return { body: { found: Object.fromEntries(found.map((id) => [id, captionOf(id, target)])), missing } };
    });
    const found = await new CaptionClient({ origin }).lookUpMany([...ids, ...ids], { beam: 1 });
    expect([...found].map(([id, { caption }]) => [id, caption])).toEqual([
      [ids[3], ids[3]],
      [ids[203], ids[203]],
    ]);
    expect(received.map(({ target, body }) => [target, JSON.parse(body).ids.length])).toEqual([
      ["/v1/captions/lookup?beam=1&candidates=1", 100],
      ["/v1/captions/lookup?beam=1&candidates=1", 100],
      ["/v1/captions/lookup?beam=1&candidates=1", 50],
    ]);
  });

  test("comes before an upload, which is left out where a caption is stored", async () => {
    const { origin, received } = await startScriptedEdge(({ method, target, body }) =>
      method === "POST" || target.includes(idOf("dog"))
        ? { body: captionOf(body || "dog", target) }
        : refusal("not_found"),
    );
    const client = new CaptionClient({ origin });
    await client.captionUnlessKnown(photo("dog"));
    await client.captionUnlessKnown(photo("cat"));
    expect(received.map(({ method }) => method)).toEqual(["GET", "GET", "POST"]);
  });

  test("goes by what a photo shows, so that a caption written into its file hides nothing", async () => {
    const { origin, received } = await startScriptedEdge(({ target }) => ({ body: captionOf("dog", target) }));
    const bytes = new Uint8Array(await readFile(photoPath("coffee")));
    await new CaptionClient({ origin }).captionUnlessKnown(new Blob([bytes]));
    expect(received[0]?.target).toBe(`/v1/captions/${await contentIdOf(bytes)}?beam=3&candidates=1`);
  });

  test("reads the model's card", async () => {
    const card = { id: "m", revision: "0123456789ab", description: "", vocabularySize: 3, maxWords: 1, licence: "MIT" };
    const { origin } = await startScriptedEdge(() => ({ body: { ...card, cleaning: "natural", scores: [] } }));
    expect(await new CaptionClient({ origin }).modelCard()).toMatchObject(card);
  });
});

describe("a refusal", () => {
  test.each(codes)("is thrown with the contract's code, detail and request id: %s", async (code) => {
    const { origin } = await startScriptedEdge(() => refusal(code));
    const error = await new CaptionClient({ origin, maxTries: 1 }).caption(photo("dog")).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(CaptionError);
    expect(error).toMatchObject({ code, message: `made ${code}`, requestId: "r-1" });
  });

  test.each([
    [413, "payload_too_large"],
    [429, "rate_limited"],
    [503, "overloaded"],
    [504, "upstream_timeout"],
    [500, "upstream_error"],
    [200, "upstream_error"],
  ])("of a proxy on the way becomes a code too: %d", async (status, code) => {
    const { origin } = await startScriptedEdge(() => ({ status, ...page }));
    const asking = new CaptionClient({ origin, maxTries: 1 }).caption(photo("dog"));
    await expect(asking).rejects.toMatchObject({ code, message: expect.stringContaining(String(status)) });
  });

  test("is told where nobody listens", async () => {
    const client = new CaptionClient({ origin: `http://127.0.0.1:${await freePort()}` });
    await expect(client.caption(photo("dog"))).rejects.toMatchObject({ code: "upstream_error" });
  });

  test.each(["captions.example.com", "ftp://example.com", "https://example.com/base", ""])(
    "meets what is no origin at once: %j",
    (origin) => {
      expect(() => new CaptionClient({ origin })).toThrow("expected an origin such as https://captions.example.com");
    },
  );
});

describe("trying again", () => {
  test.each(["overloaded", "rate_limited"] as const)("waits as long as Retry-After says: %s", async (code) => {
    const { origin, received } = await startScriptedEdge(({ body, target }) =>
      received.length < 3
        ? refusal(code, { "Retry-After": received.length === 1 ? "0" : "1" })
        : { body: captionOf(body, target) },
    );
    const waits: number[] = [];
    const begunMs = performance.now();
    const { result } = await new CaptionClient({ origin }).caption(photo("dog"), {
      onRetry: (refused, waitSeconds) => {
        expect(refused.code).toBe(code);
        waits.push(waitSeconds);
      },
    });
    expect(result.caption).toBe("dog");
    expect(received.map(({ body }) => body)).toEqual(["dog", "dog", "dog"]);
    expect(waits).toEqual([0, 1]);
    expect(performance.now() - begunMs).toBeGreaterThan(990);
  });

  test("gives up after as many tries as it is allowed", async () => {
    const { origin, received } = await startScriptedEdge(() => refusal("overloaded", { "Retry-After": "0" }));
    const asking = new CaptionClient({ origin, maxTries: 3 }).caption(photo("dog"));
    await expect(asking).rejects.toMatchObject({ code: "overloaded", retryAfterSeconds: 0 });
    expect(received).toHaveLength(3);
  });

  test("leaves a wait that is too long to its caller", async () => {
    const { origin, received } = await startScriptedEdge(() => refusal("rate_limited", { "Retry-After": "61" }));
    const asking = new CaptionClient({ origin }).caption(photo("dog"));
    await expect(asking).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 61 });
    expect(received).toHaveLength(1);
  });

  test("reads Retry-After as a date too", async () => {
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
    const { origin } = await startScriptedEdge(() => refusal("rate_limited", { "Retry-After": inAnHour }));
    const error = await new CaptionClient({ origin }).caption(photo("dog")).catch((thrown) => thrown);
    expect(error.retryAfterSeconds).toBeGreaterThan(3590);
    expect(error.retryAfterSeconds).toBeLessThanOrEqual(3600);
  });

  test("waits longer each time where nobody says how long", async () => {
    const { origin } = await startScriptedEdge(() => ({ status: 503, ...page }));
    const waits: number[] = [];
    const ending = new AbortController();
    const asking = new CaptionClient({ origin }).caption(photo("dog"), {
      signal: ending.signal,
      onRetry: (_, waitSeconds) => {
        waits.push(waitSeconds);
        if (waits.length === 2) ending.abort(new Error("enough"));
      },
    });
    await expect(asking).rejects.toThrow("enough");
    expect(waits).toEqual([1, 2]);
  });

  test.each(codes.filter((code) => code !== "overloaded" && code !== "rate_limited"))(
    "is not done where it would not help: %s",
    async (code) => {
      const { origin, received } = await startScriptedEdge(() => refusal(code, { "Retry-After": "0" }));
      await expect(new CaptionClient({ origin }).caption(photo("dog"))).rejects.toMatchObject({ code });
      expect(received).toHaveLength(1);
    },
  );
});

describe("ending early", () => {
  test.each(["hangs", "stalls"] as const)("throws the signal's reason while the edge %s", async (script) => {
    const { origin } = await startScriptedEdge(() => script);
    const signal = AbortSignal.timeout(100);
    const error = await new CaptionClient({ origin }).caption(photo("dog"), { signal }).catch((thrown) => thrown);
    expect(error).toBe(signal.reason);
  });

  test("sends nothing where the signal has been aborted before", async () => {
    const { origin, received } = await startScriptedEdge(() => "hangs");
    const signal = AbortSignal.abort(new Error("gone"));
    await expect(new CaptionClient({ origin }).caption(photo("dog"), { signal })).rejects.toThrow("gone");
    expect(received).toEqual([]);
  });

  test.each(["hangs", "stalls"] as const)("an edge that %s is given up after the time limit", async (script) => {
    const { origin } = await startScriptedEdge(() => script);
    const asking = new CaptionClient({ origin, timeoutMs: 100 }).caption(photo("dog"));
    await expect(asking).rejects.toMatchObject({ code: "upstream_timeout" });
  });
});

describe("an edge that cannot be reached from a page", () => {
  const reach = async (origin: string, page?: string) => {
    if (page !== undefined) vi.stubGlobal("location", new URL(page));
    onTestFinished(() => void vi.unstubAllGlobals());
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    const refused: unknown = await new CaptionClient({ origin }).modelCard().catch((error: unknown) => error);
    return refused instanceof CaptionError ? refused.message : refused;
  };

  test("is told with what may be behind it, which the browser does not say", async () => {
    expect(await reach("https://edge.example", "https://edge.example/")).toBe(
      "edge.example could not be reached: it is down or this device is offline",
    );
    expect(await reach("https://edge.example", "https://app.example/photos")).toBe(
      "edge.example could not be reached: it is down, this device is offline or its CORS_ORIGINS does not name https://app.example",
    );
    expect(await reach("http://edge.example", "https://app.example/photos")).toBe(
      "edge.example could not be reached: it is down, this device is offline, its CORS_ORIGINS does not name https://app.example or an https page may not call http",
    );
  });

  test("is told without guesses outside of a browser", async () => {
    expect(await reach("https://edge.example")).toBe("edge.example could not be reached");
  });
});
