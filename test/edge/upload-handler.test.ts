import { beforeEach, describe, expect, test } from "vitest";
import { isolateState } from "../../edge/isolate-state.ts";
import { byteIdOf } from "../../shared/photo-id.ts";
import {
  callWorker,
  faultyService,
  freshPhoto,
  image,
  postPhoto,
  readCaption,
  startFreshDeployment,
} from "./call-worker.ts";

beforeEach(startFreshDeployment);

describe("a photo posted for the first time", () => {
  test("is captioned by the service and told to be a miss that was stored", async () => {
    const photo = freshPhoto();
    const response = await postPhoto(photo);
    const result = await readCaption(response);
    expect(result).toMatchObject({
      id: await byteIdOf(photo),
      image: { format: "jpeg", width: 512, height: 512, bytes: photo.length },
      options: { beam: 3, candidates: 1 },
    });
    expect(result.caption).toBe(result.candidates[0]?.caption);
    expect(response.headers.get("Cache-Status")).toBe("edge-caption; fwd=miss; stored");
  });

  test("names the look-up's address with its options spelt out", async () => {
    const photo = freshPhoto();
    const response = await postPhoto(photo, { query: "?candidates=2" });
    const { candidates } = await readCaption(response);
    expect(candidates).toHaveLength(2);
    const address = `/v1/captions/${await byteIdOf(photo)}?beam=3&candidates=2`;
    expect(response.headers.get("Content-Location")).toBe(address);
    expect((await callWorker(address)).status).toBe(200);
  });

  test("carries headers that let nobody serve it stale or altered", async () => {
    const { headers } = await postPhoto(freshPhoto());
    expect(headers.get("Cache-Control")).toBe("no-cache, no-transform");
    expect(headers.get("Content-Type")).toBe("application/json");
    expect(headers.get("ETag")).toMatch(/^"[0-9a-f]{64}"$/);
    expect(headers.get("Server-Timing")).toMatch(/upload;dur=.*service;dur=.*total;dur=/);
  });

  test("leaves no byte counted as buffered", async () => {
    await postPhoto(freshPhoto());
    expect(isolateState.bufferedBytes).toBe(0);
  });
});

describe("the same photo posted again", () => {
  test("is answered from cache, byte for byte, without the service", async () => {
    const photo = freshPhoto();
    const first = await postPhoto(photo);
    const second = await postPhoto(photo, { environment: faultyService("absent") });
    expect(second.headers.get("Cache-Status")).toBe("edge-caption; hit; detail=cache-api");
    expect(second.headers.get("ETag")).toBe(first.headers.get("ETag"));
    expect(second.headers.get("Age")).toMatch(/^\d+$/);
    expect(await second.text()).toBe(await first.text());
  });

  test("is answered from KV in another data centre, and from that one's own cache from then on", async () => {
    const photo = freshPhoto();
    const elsewhere = { dataCentre: "elsewhere", environment: faultyService("absent") };
    await postPhoto(photo);
    expect((await postPhoto(photo, elsewhere)).headers.get("Cache-Status")).toBe("edge-caption; hit; detail=kv");
    expect((await postPhoto(photo, elsewhere)).headers.get("Cache-Status")).toBe("edge-caption; hit; detail=cache-api");
  });

  test("is a miss with other options", async () => {
    const photo = freshPhoto();
    await postPhoto(photo, { query: "?beam=3" });
    const greedy = await postPhoto(photo, { query: "?beam=1" });
    expect(greedy.headers.get("Cache-Status")).toBe("edge-caption; fwd=miss; stored");
    expect((await readCaption(greedy)).options.beam).toBe(1);
  });

  test("is a hit whether it comes raw or as a multipart field", async () => {
    const photo = freshPhoto();
    const form = new FormData();
    form.append("image", new Blob([photo], { type: "image/png" }), "photo.png");
    await callWorker("/v1/captions", { method: "POST", body: form });
    const raw = await postPhoto(photo);
    expect(raw.headers.get("Cache-Status")).toContain("hit");
  });
});

describe.each(["jpeg", "png", "webp", "gif", "avif", "tiff"] as const)("a %s image", (format) => {
  test("is captioned, raw and as a multipart field, whatever type its sender declares", async () => {
    const bytes = image(format);
    const raw = await postPhoto(bytes, { headers: { "Content-Type": "application/octet-stream" } });
    expect((await readCaption(raw)).image.format).toBe(format);
    const form = new FormData();
    form.append("note", "not the image");
    form.append("image", new Blob([bytes], { type: "text/plain" }), "photo.txt");
    const multipart = await callWorker("/v1/captions?beam=1", { method: "POST", body: form });
    expect((await readCaption(multipart)).image.format).toBe(format);
  });
});

test("is taken as a PNG when it is one, though it was declared as JPEG", async () => {
  const response = await postPhoto(image("png"), { headers: { "Content-Type": "image/jpeg" } });
  expect((await readCaption(response)).image.format).toBe("png");
});

describe("what the service is told of a request", () => {
  test("includes the request id, the trace, the time it has, and the type that the bytes have", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const response = await postPhoto(freshPhoto(), {
      headers: { "X-Request-Id": "from-the-client", traceparent, "Content-Type": "image/png" },
      environment: { ...faultyService("otherRevision"), UPSTREAM_TIMEOUT_MS: "4000" },
    });
    expect(JSON.parse((await readCaption(response)).caption)).toMatchObject({
      "x-request-id": "from-the-client",
      traceparent,
      "x-deadline-ms": expect.stringMatching(/^(3800|37\d\d)$/), // a twentieth is kept for the answer's way back
      "content-type": "image/jpeg",
    });
  });

  test.each(["x\u007f", "00-zz", "0".repeat(20_000)])("includes no trace that is none", async (traceparent) => {
    const response = await postPhoto(freshPhoto(), {
      headers: { traceparent },
      environment: faultyService("otherRevision"),
    });
    expect(JSON.parse((await readCaption(response)).caption)).not.toHaveProperty("traceparent");
  });

  test("includes no trace where the client sent none", async () => {
    const response = await postPhoto(freshPhoto(), { environment: faultyService("otherRevision") });
    expect(JSON.parse((await readCaption(response)).caption)).not.toHaveProperty("traceparent");
  });
});
