import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { byteIdOf } from "../../shared/photo-id.ts";
import {
  callWorker,
  faultyService,
  freshPhoto,
  image,
  postPhoto,
  readCaption,
  startFreshDeployment,
  withComment,
  withOrientation,
} from "./call-worker.ts";

const down = { environment: faultyService("absent") };

beforeEach(startFreshDeployment);

/** Makes a captioned photo, and another file of it with a caption written by hand. */
async function captionedPair() {
  const photo = freshPhoto();
  return { photo, first: await readCaption(await postPhoto(photo)), other: withComment(photo, "a dog runs") };
}

describe("a file that shows what another showed before", () => {
  test("gets that one's caption without the service, under its own id and size", async () => {
    const { first, other } = await captionedPair();
    const response = await postPhoto(other, down);
    const id = await byteIdOf(other);
    expect(response.headers.get("Cache-Status")).toContain("hit");
    expect(response.headers.get("Content-Location")).toBe(`/v1/captions/${id}?beam=3&candidates=1`);
    expect(await readCaption(response)).toEqual({ ...first, id, image: { ...first.image, bytes: other.length } });
  });

  test("is found by look-ups of its own id from then on, with the body that its upload got", async () => {
    const { other } = await captionedPair();
    const address = `/v1/captions/${await byteIdOf(other)}`;
    expect((await callWorker(address, down)).status).toBe(404);
    const posted = await postPhoto(other, down);
    const found = await callWorker(address, { ...down, dataCentre: "elsewhere" });
    expect(found.headers.get("ETag")).toBe(posted.headers.get("ETag"));
    expect(await found.text()).toBe(await posted.text());
  });

  test("does not change what the content id is answered with", async () => {
    const { first, other } = await captionedPair();
    await postPhoto(other);
    const response = await callWorker(`/v1/captions/${first.contentId}`, down);
    expect(response.headers.get("Content-Location")).toBe(`/v1/captions/${first.contentId}?beam=3&candidates=1`);
    expect(await readCaption(response)).toEqual(first);
  });

  test("is told of in KV by its id, once, and for as long as the caption", async () => {
    const { photo, first, other } = await captionedPair();
    await postPhoto(other, { environment: { CACHE_TTL_SECONDS: "3600" } });
    for (const file of [photo, other]) {
      const key = `file/${await byteIdOf(file)}`;
      expect(await env.CAPTIONS.get(key, "json")).toEqual({ contentId: first.contentId, bytes: file.length });
    }
    const { keys } = await env.CAPTIONS.list({ prefix: `file/${await byteIdOf(other)}` });
    expect(keys[0]?.expiration).toBeLessThan(Date.now() / 1000 + 3700);
    await env.CAPTIONS.delete(`file/${await byteIdOf(other)}`);
    await postPhoto(other); // the data centre's cache knows the file still
    expect(await env.CAPTIONS.get(`file/${await byteIdOf(other)}`)).toBeNull();
  });
});

describe("a file whose metadata is not canonical", () => {
  test.each([8, 9])("plants no caption for the photo it was made from: an orientation of type %i", async (type) => {
    const photo = freshPhoto();
    const crafted = withOrientation(photo, type);
    const planted = await readCaption(await postPhoto(crafted));
    const response = await postPhoto(photo);
    expect(planted.contentId).toBeUndefined();
    expect(response.headers.get("Cache-Status")).not.toContain("hit");
    expect((await readCaption(response)).id).toBe(await byteIdOf(photo));
    expect((await callWorker(`/v1/captions/${await byteIdOf(crafted)}`, down)).status).toBe(200);
  });

  test("has a content id when the same field is a SHORT", async () => {
    const { contentId } = await readCaption(await postPhoto(withOrientation(freshPhoto(), 3)));
    expect(contentId).toMatch(/^content:[0-9a-f]{64}$/);
  });
});

describe("a photo of a format without content id", () => {
  test("is cached and found under its byte id", async () => {
    const gif = image("gif");
    const { contentId } = await readCaption(await postPhoto(gif));
    expect(contentId).toBeUndefined();
    expect((await callWorker(`/v1/captions/${await byteIdOf(gif)}`, down)).status).toBe(200);
  });
});
