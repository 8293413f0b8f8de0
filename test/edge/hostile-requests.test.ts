import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { isolateState } from "../../edge/isolate-state.ts";
import { captionResultSchema, lookupReplySchema, modelCardSchema } from "../../shared/contract.ts";
import { problemSchema } from "../../shared/problem.ts";
import { callWorker, faultyService, image, postPhoto, startFreshDeployment } from "./call-worker.ts";

const seed = 20_080_611;
/** Runs a hundred batches of twenty parallel requests, as they come in real life. */
const batches = 100;
const batchSize = 20;
const limitMs = 60_000;

beforeAll(startFreshDeployment);

/** Checks a response by the contract: a body of the route's schema, or a problem document other than 500. */
async function expectContract(response: Response): Promise<void> {
  const text = await response.text();
  if (response.status === 200) {
    const schemas = [captionResultSchema, lookupReplySchema, modelCardSchema];
    const isValid = text === "" || schemas.some((schema) => schema.safeParse(JSON.parse(text)).success);
    expect(isValid, text).toBe(true);
  } else if (response.status === 304) {
    expect(text).toBe("");
  } else {
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(response.status, text).not.toBe(500);
    if (text !== "") expect(problemSchema.parse(JSON.parse(text)).status).toBe(response.status); // HEAD has no body
  }
  expect(response.headers.get("X-Request-Id")).not.toBeNull();
}

/** Replaces flights by leases for everyone, and tombstones by none: the test pool keeps every object alive, and thousands are slow. */
const lease = { finish: () => Promise.resolve(), [Symbol.dispose]: () => undefined };
const objects = {
  FLIGHTS: { getByName: () => ({ join: () => Promise.resolve({ kind: "lease", lease }) }) },
  TOMBSTONES: { getByName: () => ({ isPlacedSince: () => Promise.resolve(false) }), idFromName: () => "hostile" },
};

const batchOf = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: batchSize, maxLength: batchSize });

interface HostileRequest {
  method: string;
  path: string;
  query: string;
  headers: Partial<Record<string, string>>;
  body: string | Uint8Array<ArrayBuffer>;
  access: string;
}

const hostileByte = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff), fc.nat(255));

describe("2 000 image files with bytes changed, taken out or put in", () => {
  const original = fc.constantFrom(...(["jpeg", "png", "webp", "gif", "avif", "tiff"] as const).map(image));
  const change = fc.record({ place: fc.nat(20_000), byte: hostileByte });
  const splice = fc.record({ place: fc.nat(20_000), removed: fc.nat(40), added: fc.uint8Array({ maxLength: 40 }) });
  const file = fc
    .tuple(original, fc.array(change, { maxLength: 6 }), fc.option(splice, { freq: 3 }))
    .map(([bytes, changes, cut]) => {
      const mutated = bytes.slice();
      for (const { place, byte } of changes) mutated[place % mutated.length] = byte;
      if (cut === null) return mutated;
      const place = cut.place % mutated.length;
      const parts = [mutated.subarray(0, place), cut.added, mutated.subarray(place + cut.removed)];
      return new Uint8Array(parts.flatMap((part) => [...part]));
    });

  test(
    "are each answered by the contract, never with 500",
    async () => {
      const statuses = new Map<number, number>();
      const property = fc.asyncProperty(batchOf(file), async (files) => {
        const responses = await Promise.all(
          files.map((bytes) => postPhoto(bytes, { query: "?beam=1", environment: objects })),
        );
        for (const response of responses) {
          statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
          await expectContract(response);
        }
      });
      await fc.assert(property, { seed, numRuns: batches });
      for (const status of [200, 413, 415, 422]) expect(statuses.get(status), String(status)).toBeGreaterThan(0);
      expect(isolateState.bufferedBytes).toBe(0);
    },
    limitMs,
  );
});

describe("2 000 requests with method, path, query, headers and body changed", () => {
  const id = `sha256:${"0".repeat(64)}`;
  const oneOf = (...texts: string[]) => fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...texts) }, fc.string());
  const photo = fc.constantFrom(image("jpeg"), image("png").slice(0, 40), new Uint8Array());
  const json = fc.oneof(
    fc.constantFrom(
      '{"url":"http://127.0.0.1/"}',
      '{"url":"x"}',
      `{"ids":["${id}"]}`,
      "{",
      "[]",
      '{"__proto__":{"a":1}}',
    ),
    fc.json(),
  );
  const form = '--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n';
  const body = fc.oneof(
    photo,
    json,
    fc.uint8Array({ maxLength: 200 }),
    fc.string().map((text) => `${form}${text}\r\n--b--`),
    fc.constant(form),
  );
  const service = faultyService("otherRevision"); // its captions cost nothing
  const headers = fc.record(
    {
      "Content-Type": oneOf("image/jpeg", "application/json", "multipart/form-data; boundary=b", "multipart/form-data"),
      "Content-Length": oneOf("0", "10", "99999999999", "-1", "1e3"),
      "Content-Digest": oneOf("sha-256=:AAAA:", `sha-256=:${"A".repeat(43)}=:`, "sha-256", "md5=:AAAA:"),
      "If-None-Match": oneOf("*", '"a"', 'W/"a", "b"'),
      Authorization: oneOf("Bearer x", "Basic x", `Bearer ec_${"0".repeat(64)}`),
      "X-Request-Id": oneOf("a", "b c", "x".repeat(200)),
      traceparent: oneOf("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00"),
      Origin: oneOf("https://a.example", "null"),
      Range: oneOf("bytes=0-1", "x"),
    },
    { requiredKeys: [] },
  );
  const request: fc.Arbitrary<HostileRequest> = fc
    .record({
      method: fc.constantFrom("POST", "POST", "POST", "GET", "HEAD", "DELETE", "PUT", "PATCH"),
      path: fc.oneof(
        {
          weight: 3,
          arbitrary: fc.constantFrom("/v1/captions", "/v1/captions/lookup", `/v1/captions/${id}`, "/v1/model"),
        },
        fc.webPath(),
        fc.string().map((text) => `/v1/captions/${text}`),
      ),
      query: oneOf("", "?beam=3", "?beam=0", "?beam=3&beam=4", "?candidates=5", "?beam=%", "?x=1"),
      headers,
      body,
      access: fc.constantFrom("public", "both", "keys"),
    })
    .filter(({ path, query }) => path.startsWith("/") && URL.canParse(`https://edge.test${path}${query}`));

  test(
    "are each answered by the contract, never with 500",
    async () => {
      const property = fc.asyncProperty(batchOf(request), async (requests) => {
        for (const response of await Promise.all(requests.map(send))) await expectContract(response);
      });
      await fc.assert(property, { seed, numRuns: batches });
      expect(isolateState.bufferedBytes).toBe(0);
    },
    limitMs,
  );

  function send({ method, path, query, headers, body, access }: HostileRequest): Promise<Response> {
    const call = { method, headers: sendable(headers), environment: { ACCESS: access, ...service } };
    const hasBody = method !== "GET" && method !== "HEAD";
    return callWorker(`${path}${query}`, hasBody ? { ...call, body } : call);
  }

  /** Header values that HTTP can carry. */
  function sendable(values: Partial<Record<string, string>>): Record<string, string> {
    const entries = Object.entries(values).map(([name, value]) => [
      name,
      (value ?? "").replace(/[^\x20-\x7e]/g, "?").trim(),
    ]);
    return Object.fromEntries(entries);
  }
});
