import { beforeEach, describe, expect, test } from "vitest";
import { formResult } from "../../shared/caption-form.ts";
import { captionQuery } from "../../shared/caption-options.ts";
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

const unknownId = `sha256:${"0".repeat(64)}`;

beforeEach(startFreshDeployment);

async function captionAndLocate(): Promise<{ address: string; posted: Response }> {
  const posted = await postPhoto(freshPhoto());
  return { address: posted.headers.get("Content-Location") ?? "", posted };
}

describe("a look-up of a captioned photo", () => {
  test("gives what the upload gave, with the same ETag and no question to the service", async () => {
    const { address, posted } = await captionAndLocate();
    const response = await callWorker(address, { environment: faultyService("absent") });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(await posted.text());
    expect(response.headers.get("ETag")).toBe(posted.headers.get("ETag"));
    expect(response.headers.get("Cache-Control")).toBe("no-cache, no-transform");
    expect(response.headers.get("Cache-Status")).toBe("edge-caption; hit; detail=cache-api");
    expect(response.headers.get("Content-Location")).toBe(address);
  });

  test("takes default options for those not given", async () => {
    const photo = freshPhoto();
    await postPhoto(photo, { query: "?beam=3&candidates=1" });
    expect((await callWorker(`/v1/captions/${await byteIdOf(photo)}`)).status).toBe(200);
  });

  test("answers in every form from the one result that is stored, each with its own ETag and address", async () => {
    const { address, posted } = await captionAndLocate();
    const plain = await readCaption(posted);
    const forms = ["&style=sentence", "&neutral=true", "&keywords=true", "&style=sentence&neutral=true&keywords=true"];
    const tags = new Set([posted.headers.get("ETag")]);
    for (const form of forms) {
      const response = await callWorker(`${address}${form}`, { environment: faultyService("absent") });
      tags.add(response.headers.get("ETag"));
      expect(response.headers.get("Content-Location")).toBe(`${address}${form}`);
      expect(response.headers.get("Cache-Status")).toMatch("hit");
      const result = await readCaption(response);
      expect(result).toEqual(formResult(plain, result.options));
      expect(captionQuery(result.options)).toBe(`beam=3&candidates=1${form}`);
    }
    expect(tags.size).toBe(1 + forms.length);
  });

  test("finds a limited caption for any number of candidates", async () => {
    const photo = freshPhoto();
    await postPhoto(photo, { query: "?candidates=1&maxWords=6" });
    const id = await byteIdOf(photo);
    const look = (query: string) => callWorker(`/v1/captions/${id}?${query}`, { environment: faultyService("absent") });
    expect((await readCaption(await look("candidates=3&maxWords=6"))).candidates).toHaveLength(3);
    expect((await look("candidates=3&maxWords=7")).status).toBe(404);
    expect((await look("candidates=1")).status).toBe(404);
  });

  test("answers HEAD with the headers alone", async () => {
    const { address, posted } = await captionAndLocate();
    const response = await callWorker(address, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("ETag")).toBe(posted.headers.get("ETag"));
    expect(await response.text()).toBe("");
  });
});

describe.each(["GET", "HEAD"])("a conditional %s", (method) => {
  test.each([
    ["the ETag", (etag: string) => etag],
    ["the ETag made weak by a proxy", (etag: string) => `W/${etag}`],
    ["the ETag among others", (etag: string) => `"other", W/${etag}`],
    ["any ETag", () => "*"],
  ])("is answered 304 when If-None-Match is %s", async (_, ifNoneMatch) => {
    const { address, posted } = await captionAndLocate();
    const etag = posted.headers.get("ETag") ?? "";
    const response = await callWorker(address, { method, headers: { "If-None-Match": ifNoneMatch(etag) } });
    expect(response.status).toBe(304);
    expect(await response.text()).toBe("");
    expect(response.headers.get("ETag")).toBe(etag);
    expect(response.headers.get("Cache-Status")).toContain("hit");
    expect(response.headers.get("Cache-Control")).toBe("no-cache, no-transform");
    expect(response.headers.get("X-Request-Id")).toMatch(/^[\w-]{36}$/);
  });

  test("is answered 200 when If-None-Match is another ETag", async () => {
    const { address } = await captionAndLocate();
    const response = await callWorker(address, { method, headers: { "If-None-Match": '"other"' } });
    expect(response.status).toBe(200);
  });
});

describe("a look-up that finds nothing", () => {
  test("is 404, for a photo that nobody posted", async () => {
    const problem = await readProblem(await callWorker(`/v1/captions/${unknownId}`), "not_found");
    expect(problem.detail).toContain(`${unknownId} with beam=3&candidates=1`);
  });

  test("is 404, for options that nobody asked for", async () => {
    const { address } = await captionAndLocate();
    const otherOptions = address.replace("beam=3", "beam=5");
    await readProblem(await callWorker(otherOptions), "not_found");
  });

  test("is 404, for a content id", async () => {
    await readProblem(await callWorker(`/v1/captions/content:${"0".repeat(64)}`), "not_found");
  });

  test("is 502 while the service is down and nobody has ever told its revision", async () => {
    watchWarnings();
    const response = await callWorker(`/v1/captions/${unknownId}`, { environment: faultyService("absent") });
    await readProblem(response, "upstream_error");
  });
});

describe("a look-up that asks for what cannot be", () => {
  test.each(["dog.jpg", "sha256:abc", `sha256:${"A".repeat(64)}`, `md5:${"0".repeat(64)}`])(
    "is 400 for the id %s",
    async (id) => {
      const problem = await readProblem(await callWorker(`/v1/captions/${id}`), "invalid_request");
      expect(problem.detail).toContain(id.slice(0, 40));
    },
  );

  test("is 400 for options out of range", async () => {
    await readProblem(await callWorker(`/v1/captions/${unknownId}?beam=11`), "invalid_request");
  });
});
