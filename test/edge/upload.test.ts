import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isolateState } from "../../edge/isolate-state.ts";
import { defaultMaxBytes } from "../../shared/contract.ts";
import { contentDigest } from "../../shared/signature.ts";
import { madeTiff, rgbChannels } from "../fixtures/made-tiffs.ts";
import {
  callWorker,
  freshPhoto,
  image,
  join,
  postPhoto,
  readCaption,
  readProblem,
  startFreshDeployment,
} from "./call-worker.ts";

beforeEach(startFreshDeployment);
afterEach(() => expect(isolateState.bufferedBytes).toBe(0));

/** Makes a stream of unknown length, as in chunked transfer, that ends as `finish` says. */
function streamOf(
  bytes: Uint8Array<ArrayBuffer>,
  finish = (writer: WritableStreamDefaultWriter): Promise<void> => writer.close(),
): ReadableStream {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  void writer
    .write(bytes)
    .then(() => finish(writer))
    .catch(() => undefined); // the worker had read enough
  return readable;
}

function postForm(
  fields: readonly [name: string, content: Blob | string][],
  environment: Record<string, unknown> = {},
) {
  const body = new FormData();
  for (const [name, content] of fields) body.append(name, content);
  return callWorker("/v1/captions", { method: "POST", body, environment });
}

describe("an upload that does not come", () => {
  test.each([
    ["though its length was told", { "Content-Length": "4000000" }],
    ["and tells no length", {}],
  ])("is 408 at the time limit, %s, and gives its room back", async (_, headers) => {
    const body = streamOf(freshPhoto().slice(0, 100), () => new Promise(() => {}));
    const environment = { BODY_TIMEOUT_MS: "150", MIN_BYTES_PER_SECOND: "0" };
    const response = await callWorker("/v1/captions", { method: "POST", body, headers, environment });
    const problem = await readProblem(response, "request_timeout");
    expect(problem.detail).toBe("expected the whole body within 150 ms, received less");
  });

  test.each(["/v1/captions", "/v1/captions/lookup"])(
    "is 408 before that where it stands still, at %s",
    async (path) => {
      const body = streamOf(new Uint8Array(100), () => new Promise(() => {}));
      const environment = { BODY_TIMEOUT_MS: "900" };
      const response = await callWorker(path, { method: "POST", body, environment });
      const problem = await readProblem(response, "request_timeout");
      expect(problem.detail).toBe("expected 4096 bytes a second, received less");
    },
  );

  test("is read to its end where it comes slowly, but fast enough", async () => {
    const photo = freshPhoto();
    const body = streamOf(photo.slice(0, 100), async (writer) => {
      for (let at = 100; at < photo.length; at += 2500) {
        await scheduler.wait(15);
        await writer.write(photo.subarray(at, at + 2500));
      }
      await writer.close();
    });
    const environment = { BODY_TIMEOUT_MS: "6000", MIN_BYTES_PER_SECOND: "20000" };
    await readCaption(await callWorker("/v1/captions", { method: "POST", body, environment }));
  });
});

describe("an upload without an image", () => {
  test("is 400 when the body is empty", async () => {
    const problem = await readProblem(await postPhoto(new Uint8Array()), "invalid_request");
    expect(problem.detail).toBe("expected an image, received nothing");
  });

  test("is 400 when there is no body", async () => {
    await readProblem(await callWorker("/v1/captions", { method: "POST" }), "invalid_request");
  });

  test("is 400 when the multipart body has no field named image", async () => {
    const problem = await readProblem(await postForm([["file", new Blob([freshPhoto()])]]), "invalid_request");
    expect(problem.detail).toBe('expected a multipart field named image, received "file"');
  });

  test("is 400 when the multipart field is empty", async () => {
    await readProblem(await postForm([["image", new Blob([])]]), "invalid_request");
  });

  test("is 400 when the multipart body has two of them", async () => {
    const photo = new Blob([freshPhoto()]);
    const response = await postForm([
      ["image", photo],
      ["image", photo],
    ]);
    await readProblem(response, "invalid_request");
  });

  test("is 400 when the connection breaks in mid-body", async () => {
    const body = streamOf(freshPhoto(), (writer) => writer.abort(new Error("the client left")));
    const response = await callWorker("/v1/captions", { method: "POST", body });
    expect((await readProblem(response, "invalid_request")).detail).toBe("the upload ended before it was complete");
  });

  test.each(["application/ld+json; charset=utf-8", "multipart/mixed; boundary=x"])(
    "is 415 when it says that it is %s",
    async (contentType) => {
      const response = await postPhoto(freshPhoto(), { headers: { "Content-Type": contentType } });
      const problem = await readProblem(response, "unsupported_media_type");
      expect(problem.detail).toContain("multipart/form-data with a field named image");
    },
  );

  test("is 415 with the right command when it comes as curl sends it by default", async () => {
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const problem = await readProblem(await postPhoto(freshPhoto(), { headers }), "unsupported_media_type");
    expect(problem.detail).toContain("--data-binary @photo.jpg -H 'Content-Type: image/jpeg'");
  });
});

describe("a body with a Content-Encoding", () => {
  test.each([
    ["/v1/captions", "gzip", "image/jpeg"],
    ["/v1/captions", "br, gzip", "application/json"],
    ["/v1/captions", "deflate", "multipart/form-data; boundary=cut"],
    ["/v1/captions/lookup", "zstd", "application/json"],
  ])("is 415, and told so: %s in %s", async (path, coding, type) => {
    const headers = { "Content-Encoding": coding, "Content-Type": type };
    const response = await callWorker(path, { method: "POST", body: freshPhoto(), headers });
    expect(response.headers.get("Accept-Encoding")).toBe("identity");
    const problem = await readProblem(response, "unsupported_media_type");
    expect(problem.detail).toBe(
      `expected a body without Content-Encoding, received one in "${coding}": send the bytes as they are`,
    );
  });

  test.each(["identity", "Identity", ""])("is captioned where that is %j", async (coding) => {
    await readCaption(await postPhoto(freshPhoto(), { headers: { "Content-Encoding": coding } }));
  });
});

describe("a Content-Digest", () => {
  const digestOf = async (bytes: Uint8Array<ArrayBuffer>) =>
    contentDigest(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

  test("is checked against the body: the right one is captioned", async () => {
    const photo = freshPhoto();
    const headers = { "Content-Digest": `sha-512=:AAAA:, ${await digestOf(photo)}` };
    await readCaption(await postPhoto(photo, { headers }));
  });

  test("is that of the whole body when the photo is a multipart field", async () => {
    const form = new FormData();
    form.append("image", new Blob([freshPhoto()]));
    const encoded = new Response(form);
    const contentType = encoded.headers.get("Content-Type") ?? "";
    const bytes = new Uint8Array(await encoded.arrayBuffer());
    const post = (digest: string) =>
      callWorker("/v1/captions", {
        method: "POST",
        body: bytes,
        headers: { "Content-Type": contentType, "Content-Digest": digest },
      });
    await readCaption(await post(await digestOf(bytes)));
    await readProblem(await post(await digestOf(freshPhoto())), "invalid_request");
  });

  test("is 400 when the body is another", async () => {
    const headers = { "Content-Digest": await digestOf(freshPhoto()) };
    const problem = await readProblem(await postPhoto(freshPhoto(), { headers }), "invalid_request");
    expect(problem.detail).toContain("it was changed on its way");
  });

  test.each(["sha-256=:AAAA:", "sha-256=abc", "sha-256", "SHA-256=:AAAA:"])(
    "is 400 when it is no digest: %s",
    async (digest) => {
      const headers = { "Content-Digest": digest };
      const problem = await readProblem(await postPhoto(freshPhoto(), { headers }), "invalid_request");
      expect(problem.detail).toContain("expected Content-Digest to be sha-256=");
    },
  );

  test("is passed over when it is of another algorithm", async () => {
    await readCaption(await postPhoto(freshPhoto(), { headers: { "Content-Digest": "md5=:AAAA:" } }));
  });
});

test("a Content-Length that is no number is not believed", async () => {
  await readCaption(await postPhoto(freshPhoto(), { headers: { "Content-Length": "many" } }));
});

describe("an image that is too large", () => {
  const tooLarge = join([image("photo"), new Uint8Array(defaultMaxBytes + 1 - image("photo").length)]);

  test("is 413 by its Content-Length, and counted nowhere while the rest of it is read", async () => {
    let held = 0;
    const body = streamOf(new Uint8Array(100_000), async (writer) => {
      held = isolateState.uploads.bytes;
      await writer.close();
    });
    const headers = { "Content-Length": String(defaultMaxBytes + 1) };
    const problem = await readProblem(
      await callWorker("/v1/captions", { method: "POST", body, headers }),
      "payload_too_large",
    );
    expect(problem.detail).toBe("expected an image of at most 20971520 bytes, received 20971521");
    expect(held).toBe(0);
  });

  test("is 413 one byte over the limit without Content-Length", async () => {
    const response = await callWorker("/v1/captions", { method: "POST", body: streamOf(tooLarge) });
    await readProblem(response, "payload_too_large");
  });

  test("is 413 once it is over the limit, though it never ends", async () => {
    const body = streamOf(new Uint8Array(100_000), () => new Promise(() => {}));
    const environment = { MAX_BYTES: "1000", BODY_TIMEOUT_MS: "2000" };
    await readProblem(await callWorker("/v1/captions", { method: "POST", body, environment }), "payload_too_large");
  });

  test("is 413 one byte over the limit in a multipart field", async () => {
    await readProblem(await postForm([["image", new Blob([tooLarge])]]), "payload_too_large");
  });

  test("is captioned at the limit, raw with and without Content-Length and as a multipart field", async () => {
    const photo = freshPhoto();
    const environment = { MAX_BYTES: photo.length };
    await readCaption(await postPhoto(photo, { environment }));
    await readCaption(await callWorker("/v1/captions", { method: "POST", body: streamOf(photo), environment }));
    await readCaption(await postForm([["image", new Blob([photo])]], environment));
  });

  test("is 413 above what an AVIF may have, which is less than other formats may", async () => {
    const environment = { MAX_AVIF_PIXELS: "2399" };
    const problem = await readProblem(await postPhoto(image("avif"), { environment }), "payload_too_large");
    expect(problem.detail).toBe("expected an image in AVIF of at most 2399 pixels, received 60 × 40");
    await readCaption(await postPhoto(image("png"), { environment }));
  });

  test("is 413 at 20 000 × 20 000 pixels in 50 kB", async () => {
    const problem = await readProblem(await postPhoto(image("hugePng")), "payload_too_large");
    expect(problem.detail).toBe("expected an image of at most 100000000 pixels, received 20000 × 20000");
  });
});

describe("a file that is no image of a format that works", () => {
  test.each(["svg", "heic", "text"] as const)("is 415 naming the formats that do, for %s", async (name) => {
    const problem = await readProblem(await postPhoto(image(name)), "unsupported_media_type");
    expect(problem.detail).toContain("JPEG, PNG, WebP, GIF, AVIF or TIFF");
  });

  test("is captioned as HEIC where ALLOW_HEIC says so, and nowhere else", async () => {
    await readProblem(await postPhoto(image("heicPhoto")), "unsupported_media_type");
    const response = await postPhoto(image("heicPhoto"), { environment: { ALLOW_HEIC: "true" } });
    expect((await readCaption(response)).image).toMatchObject({ format: "heic", width: 300, height: 200 });
  });

  test("is 415 naming its form, where that is not decoded", async () => {
    const photo = madeTiff({ channels: rgbChannels, fields: { 259: [50000] } });
    const problem = await readProblem(await postPhoto(photo), "unsupported_media_type");
    expect(problem.detail).toContain("received one compressed with Zstandard");
  });

  test("is captioned where it only lacks a JPEG's end marker, holds a Photoshop selection or is an animated AVIF", async () => {
    const animated = image("avif");
    animated.set(new TextEncoder().encode("avis"), 8);
    const selection = madeTiff({ channels: [...rgbChannels, () => 0.5], extraSamples: [0] });
    for (const photo of [freshPhoto().slice(0, -2), selection, animated]) await readCaption(await postPhoto(photo));
  });

  test("is 422 when only its pixels are missing, as the service finds", async () => {
    await readProblem(await postPhoto(image("truncatedJpeg")), "invalid_image");
  });

  test("is 422 when its header is broken", async () => {
    await readProblem(await postPhoto(image("jpeg").slice(0, 20)), "invalid_image");
  });
});

describe("options", () => {
  test.each([
    ["?beam=0", "beam", '"0"'],
    ["?beam=eleven", "beam", '"eleven"'],
    ["?beam=2&candidates=3", "candidates", "candidates=3"],
    ["?bean=3", "unknown query parameter", '"bean"'],
  ])("are 400 for %s, before the body is read", async (query, what, received) => {
    const problem = await readProblem(await postPhoto(new Uint8Array(), { query }), "invalid_request");
    expect(problem.detail).toContain(what);
    expect(problem.detail).toContain(received);
  });
});
