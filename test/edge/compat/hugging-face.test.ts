import { InferenceClient } from "@huggingface/inference";
import { beforeEach, describe, expect, test } from "vitest";
import { callWorker, freshPhoto, postPhoto, readCaption, readProblem, startFreshDeployment } from "../call-worker.ts";
import { madeKey } from "../made-keys.ts";
import { fetchFromWorker, toBase64 } from "./fetch-from-worker.ts";

const on = { FACADES: "max, huggingface" };
const path = "/models/Salesforce/blip-image-captioning-base";

beforeEach(startFreshDeployment);

/** Creates their own client, with the worker instead of the network. */
function client({ accessToken, environment }: { accessToken?: string; environment: Record<string, unknown> }) {
  return new InferenceClient(accessToken, { fetch: fetchFromWorker(environment), retry_on_error: false });
}

const endpointUrl = `https://edge.test${path}`;

describe("the image-to-text task of Hugging Face", () => {
  test("answers their JavaScript client", async () => {
    const photo = freshPhoto();
    const { caption } = await readCaption(await postPhoto(photo));
    const answer = await client({ environment: on }).imageToText({ data: new Blob([photo]), endpointUrl });
    expect(answer).toEqual({ generated_text: caption });
  });

  test("answers their client with a key of ours as its token", async () => {
    const { key } = await madeKey();
    const environment = { ...on, ACCESS: "keys" };
    const inputs = new Blob([freshPhoto()], { type: "image/jpeg" });
    const answer = await client({ accessToken: key, environment }).imageToText({ inputs, endpointUrl });
    expect(answer.generated_text).toMatch(/\w/);
    const refused = client({ accessToken: "hf_abc", environment }).imageToText({ inputs, endpointUrl });
    await expect(refused).rejects.toThrow("the API key is not known here");
  });

  test.each([
    [
      "their Python client without parameters",
      () => ({ headers: { "Content-Type": "image/jpeg" }, body: freshPhoto() }),
    ],
    [
      "curl --data-binary, as their documentation shows",
      () => ({ headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: freshPhoto() }),
    ],
    [
      "their Python client with parameters",
      () => ({
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs: toBase64(freshPhoto()), parameters: { max_new_tokens: 20 } }),
      }),
    ],
  ])("answers %s", async (_, request) => {
    const response = await callWorker(path, { method: "POST", ...request(), environment: on });
    expect(response.headers.get("Cache-Status")).toBe("edge-caption; fwd=miss; stored");
    expect(await response.json()).toEqual([{ generated_text: expect.stringMatching(/\w/) }]);
  });

  test.each([
    ["@huggingface/inference/4.13.10", true],
    ["@huggingface/inference/4.13.15 Node.js/22", false],
    ["@huggingface/inference/5.0.0", false],
    ["unknown/None; hf_hub/0.36.0; python/3.12.1", true],
  ])("answers a list of one, or the one, as the client reads it: %s", async (userAgent, isList) => {
    const headers = { "User-Agent": userAgent };
    const response = await callWorker(path, { method: "POST", headers, body: freshPhoto(), environment: on });
    expect(Array.isArray(await response.json())).toBe(isList);
  });

  test.each([
    ["no base64", JSON.stringify({ inputs: "!" }), "invalid_request"],
    ["no inputs", "{}", "invalid_request"],
    ["base64 of no image", JSON.stringify({ inputs: btoa("words") }), "unsupported_media_type"],
    ["a photo too large for JSON", JSON.stringify({ inputs: "A".repeat(6_000_000) }), "payload_too_large"],
  ] as const)("refuses %s with a problem document", async (_, body, code) => {
    const headers = { "Content-Type": "application/json" };
    await readProblem(await callWorker(path, { method: "POST", headers, body, environment: on }), code);
  });

  test("is not there unless the setting says so", async () => {
    const environment = { FACADES: "max" };
    await readProblem(await callWorker(path, { method: "POST", body: freshPhoto(), environment }), "not_found");
  });
});
