import { once } from "node:events";
import { request } from "node:http";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { captionResultSchema, lookupReplySchema } from "../../shared/contract.ts";
import { byteIdOf } from "../../shared/photo-id.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { startTinyDeployment } from "../support/deployment.ts";
import { everyByteIn } from "../support/every-byte.ts";

let edge = "";
let stateDir = "";
let stop = async (): Promise<void> => undefined;
let seed = 0;

beforeAll(async () => ({ edge, stateDir, stop } = await startTinyDeployment()), 60_000);
afterAll(() => stop());

async function freshPhoto(): Promise<Uint8Array<ArrayBuffer>> {
  seed += 1;
  const [photo] = await madePhotos(1, { seed });
  if (photo === undefined) throw new Error("expected a photo");
  return photo;
}

const post = (body: Uint8Array<ArrayBuffer>) => fetch(`${edge}/v1/captions`, { method: "POST", body });

describe("through the runtime, against the real service", () => {
  test("200 uploads of a photo at the same time are one run of the model and 200 equal answers", async () => {
    const photo = await freshPhoto();
    const responses = await Promise.all(Array.from({ length: 200 }, () => post(photo)));
    const bodies = new Set(await Promise.all(responses.map((response) => response.text())));
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(bodies.size).toBe(1);
    const stored = responses.filter(({ headers }) => headers.get("Cache-Status")?.endsWith("; stored"));
    expect(stored).toHaveLength(1);
  });

  test("a client that leaves once its photo is sent leaves its caption behind", async () => {
    const photo = await freshPhoto();
    const upload = request(`${edge}/v1/captions`, { method: "POST", headers: { "Content-Length": photo.length } });
    upload.on("error", () => undefined); // its own doing
    upload.end(photo);
    await once(upload, "finish");
    await setTimeout(20);
    upload.destroy();
    const id = await byteIdOf(photo);
    await expect
      .poll(async () => (await fetch(`${edge}/v1/captions/${id}`)).status, { timeout: 10_000, interval: 200 })
      .toBe(200);
  });

  test("a photo's address is not fetched unless that was asked for", async () => {
    const body = JSON.stringify({ url: "https://photos.example.com/dog.jpg" });
    const response = await fetch(`${edge}/v1/captions`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
    expect(response.status).toBe(422);
    const detail = "photos are not fetched from any address here (SOURCE_HOSTS): send the photo itself";
    expect(await response.json()).toMatchObject({ code: "source_unreachable", detail });
  });

  test("many are looked up at once, by the ids that the answers gave", async () => {
    const photo = await freshPhoto();
    const result = captionResultSchema.parse(await (await post(photo)).json());
    const other = await byteIdOf(await freshPhoto());
    const body = JSON.stringify({ ids: [result.id, result.contentId, other] });
    const reply = await fetch(`${edge}/v1/captions/lookup`, { method: "POST", body });
    expect(lookupReplySchema.parse(await reply.json())).toEqual({
      found: { [result.id]: result, [String(result.contentId)]: result },
      missing: [other],
    });
  });

  test("a caption is kept on disk, and of the photo nothing but its ids", async () => {
    const photo = await freshPhoto();
    const result = captionResultSchema.parse(await (await post(photo)).json());
    await expect.poll(() => everyByteIn(stateDir), { timeout: 10_000, interval: 200 }).toContain(result.id);
    const pixels = Buffer.from(photo.subarray(3000, 3015)); // base64 takes bytes by threes
    const kept = await everyByteIn(stateDir);
    for (const encoding of ["latin1", "base64", "hex"] as const) expect(kept).not.toContain(pixels.toString(encoding));
  });
});
