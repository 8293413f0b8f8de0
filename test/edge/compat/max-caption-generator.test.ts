import { beforeEach, describe, expect, test } from "vitest";
import {
  callWorker,
  freshPhoto,
  join,
  postPhoto,
  readCaption,
  readProblem,
  startFreshDeployment,
} from "../call-worker.ts";

const on = { FACADES: "max" };

beforeEach(startFreshDeployment);

/** Builds the form that `curl -F image=@photo.jpg` sends, and the project's own test through libcurl. */
function predict(photo: Uint8Array<ArrayBuffer>, environment: Record<string, unknown> = on) {
  const text = (lines: string[]) => new TextEncoder().encode(lines.join("\r\n"));
  const boundary = "------------------------d74496d66958873e";
  const disposition = 'Content-Disposition: form-data; name="image"; filename="surfing.jpg"';
  const head = text([`--${boundary}`, disposition, "Content-Type: image/jpeg", "", ""]);
  return callWorker("/model/predict", {
    method: "POST",
    headers: {
      Accept: "application/json",
      "User-Agent": "curl/7.88.1",
      "Content-Type": `multipart/form-data; boundary=${boundary}`,
    },
    body: join([head, photo, text(["", `--${boundary}--`, ""])]),
    environment,
  });
}

describe("POST /model/predict of the MAX Image Caption Generator", () => {
  test("answers the three captions of a search with beam 3, as that service does", async () => {
    const photo = freshPhoto();
    const { candidates } = await readCaption(await postPhoto(photo, { query: "?beam=3&candidates=3" }));
    const response = await predict(photo);
    expect(response.status).toBe(200);
    expect(response.headers.get("Cache-Status")).toContain("hit");
    expect(await response.json()).toEqual({
      status: "ok",
      predictions: candidates.map(({ caption, logProb }, index) => ({
        index: String(index),
        caption,
        probability: Math.exp(logProb),
      })),
    });
  });

  test("captions a photo that no cache has", async () => {
    const response = await predict(freshPhoto());
    expect(response.headers.get("Cache-Status")).toBe("edge-caption; fwd=miss; stored");
    const { predictions } = await response.json<{ predictions: unknown[] }>();
    expect(predictions).toHaveLength(3);
  });

  test("stands under the same keys", async () => {
    await readProblem(await predict(freshPhoto(), { ...on, ACCESS: "keys" }), "unauthorized");
  });

  test("refuses with a problem document", async () => {
    await readProblem(await predict(new Uint8Array()), "invalid_request");
  });

  test("is not there unless the setting says so", async () => {
    await readProblem(await predict(freshPhoto(), {}), "not_found");
  });
});
