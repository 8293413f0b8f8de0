import { afterEach, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { isolateState } from "../../edge/isolate-state.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import { byteIdOf } from "../../shared/photo-id.ts";
import { callWorker, image, postPhoto, readCaption, readProblem, startFreshDeployment } from "./call-worker.ts";

const site = inject("photoSources");
const trusting = { SOURCE_HOSTS: new URL(site).host, SOURCE_TIMEOUT_MS: "1000" };

beforeEach(startFreshDeployment);
afterEach(() => expect(isolateState.bufferedBytes).toBe(0));

function postJson(body: unknown, environment: Record<string, unknown> = trusting, headers = {}) {
  return callWorker("/v1/captions", {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
    environment,
  });
}

const postAddress = (path: string, environment = {}) =>
  postJson({ url: `${site}${path}` }, { ...trusting, ...environment });

describe("a photo given by its address", () => {
  test.each(["/photo.jpg", "/untyped", "/chunked", "/redirect", "/redirect?to=/redirect?to=/photo.jpg"])(
    "is fetched and captioned: %s",
    async (path) => {
      expect((await readCaption(await postAddress(path))).image.format).toBe("jpeg");
    },
  );

  test("shares its caption with an upload of the same bytes", async () => {
    const photo = image("photo");
    await postPhoto(photo);
    const response = await postAddress("/photo.jpg");
    expect(response.headers.get("Cache-Status")).toContain("hit");
    expect((await readCaption(response)).id).toBe(await byteIdOf(photo));
  });

  test("gets no old caption when the photo there changed, whatever the site says of caching", async () => {
    const first = await readCaption(await postAddress("/changing"));
    const second = await readCaption(await postAddress("/changing"));
    expect(second.id).not.toBe(first.id);
  });

  test("tells the site nothing of the client", async () => {
    const headers = { Authorization: "Bearer secret", Cookie: "a=b", "X-Request-Id": "mine" };
    await postJson({ url: `${site}/headers` }, trusting, headers);
    const told = await fetch(`${site}/last-headers`);
    expect(JSON.parse(await told.text())).toMatchObject({ accept: "image/*", "user-agent": "edge-caption" });
    expect(await (await fetch(`${site}/last-headers`)).text()).not.toMatch(/secret|a=b|mine/);
  });
});

describe("an address without a photo", () => {
  test.each<[string, ErrorCode, string]>([
    ["/missing", "source_unreachable", "answered with status 404"],
    ["/circle", "source_unreachable", "redirects more than 5 times"],
    ["/redirect?to=http://169.254.169.254/latest", "source_unreachable", 'of "169.254.169.254"'],
    ["/redirect?to=ftp://photos.example/", "source_unreachable", 'with "ftp:"'],
    ["/redirect?to=http://a:b@photos.example/", "source_unreachable", "user name or password"],
    ["/redirect?to=http://", "source_unreachable", "could not be fetched"],
    ["/page", "unsupported_media_type", 'received "text/html"'],
    ["/empty", "invalid_request", "received nothing"],
    ["/large", "payload_too_large", "received 100000000"],
    ["/endless", "payload_too_large", "received more"],
    ["/silent", "source_unreachable", "did not arrive within 1000 ms"],
    ["/stalls", "source_unreachable", "came slower than 4096 bytes a second"],
    ["/breaks-off", "source_unreachable", "could not be fetched"],
  ])("is refused: %s is %s, %s", async (path, code, why) => {
    expect((await readProblem(await postAddress(path), code)).detail).toContain(why);
  });

  test("is refused when nobody is there", async () => {
    const environment = { SOURCE_HOSTS: "127.0.0.1:1" };
    const response = await postJson({ url: "http://127.0.0.1:1/photo.jpg" }, environment);
    await readProblem(response, "source_unreachable");
  });

  test.each(["http://127.0.0.1/", "http://edge.test/healthz", inject("serviceOrigin")])(
    "is refused before it is asked when it is private or our own: %s",
    async (url) => {
      await readProblem(await postJson({ url }, {}), "source_unreachable");
    },
  );

  test("is refused where the setting lets nobody in", async () => {
    await readProblem(await postAddress("/photo.jpg", { SOURCE_HOSTS: "none" }), "source_unreachable");
  });
});

describe("sources that declare much and stand still", () => {
  test("leave room for everybody's uploads, and count what has come of them", async () => {
    const stalled = [1, 2, 3, 4].map(() => postAddress("/declares-much", { SOURCE_TIMEOUT_MS: "3000" }));
    await vi.waitUntil(() => isolateState.uploads.bytes > 400_000, { timeout: 2000 });
    expect(isolateState.uploads.bytes).toBeLessThan(1_000_000);
    const large = new Uint8Array(5 * 2 ** 20);
    large.set(image("photo"));
    await readCaption(await postPhoto(large));
    const answers = await Promise.all(stalled);
    const problems = answers.map((response) => readProblem(response, "source_unreachable"));
    for (const { detail } of await Promise.all(problems))
      expect(detail).toContain("came slower than 4096 bytes a second");
  });
});

describe("a JSON body", () => {
  test.each([
    ["not JSON", "expected a JSON body"],
    ["", "expected a JSON body"],
    ["null", "the JSON body: "],
    ["[]", "the JSON body: "],
    [{}, "url: expected an http or https address"],
    [{ url: 7 }, "url: expected an http or https address"],
    [{ url: "dog.jpg" }, "url: expected an http or https address"],
    [{ url: "ftp://photos.example/dog.jpg" }, "url: expected an http or https address"],
    [{ url: "https://photos.example/", beam: 3 }, '"beam"'],
  ])("is 400 when it names no address: %j", async (body, why) => {
    expect((await readProblem(await postJson(body), "invalid_request")).detail).toContain(why);
  });

  test("is 413 when it is longer than any address", async () => {
    await readProblem(await postJson({ url: `https://photos.example/${"x".repeat(20_000)}` }), "payload_too_large");
  });
});
