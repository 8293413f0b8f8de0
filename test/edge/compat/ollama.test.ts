import { Ollama } from "ollama/browser";
import { beforeEach, describe, expect, test } from "vitest";
import { callWorker, freshPhoto, postPhoto, readCaption, readProblem, startFreshDeployment } from "../call-worker.ts";
import { fetchFromWorker, toBase64 } from "./fetch-from-worker.ts";

const on = { FACADES: "ollama" };

beforeEach(startFreshDeployment);

/** Creates their own client, with the worker instead of the network. */
const client = () => new Ollama({ host: "https://edge.test", fetch: fetchFromWorker(on) });

const postJson = (path: string, body: object, environment: Record<string, unknown> = on) =>
  callWorker(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    environment,
  });

describe("Ollama's API", () => {
  test("answers generate of their client", async () => {
    const photo = freshPhoto();
    const { caption } = await readCaption(await postPhoto(photo));
    const answer = await client().generate({ model: "llava", prompt: "Describe it.", images: [photo] });
    expect(answer).toMatchObject({ model: "llava", response: caption, done: true, done_reason: "stop" });
    expect(answer.eval_count).toBeGreaterThan(1);
  });

  test("answers chat of their client, with the last message's photo", async () => {
    const [first, last] = [freshPhoto(), freshPhoto()];
    const { caption } = await readCaption(await postPhoto(last));
    const answer = await client().chat({
      model: "llava",
      messages: [
        { role: "user", content: "What is this?", images: [first] },
        { role: "assistant", content: "a photo" },
        { role: "user", content: "And this?", images: [last] },
      ],
    });
    expect(answer.message).toEqual({ role: "assistant", content: caption });
  });

  test("streams generate and chat to their client", async () => {
    const photo = freshPhoto();
    const { caption } = await readCaption(await postPhoto(photo));
    let generated = "";
    for await (const { response } of await client().generate({ model: "x", prompt: "", images: [photo], stream: true }))
      generated += response;
    let said = "";
    const messages = [{ role: "user", content: "", images: [photo] }];
    for await (const { message } of await client().chat({ model: "x", messages, stream: true }))
      said += message.content;
    expect([generated, said]).toEqual([caption, caption]);
  });

  test("lists the one model to their client", async () => {
    const { models } = await client().list();
    expect(models).toMatchObject([{ name: expect.stringMatching(/\w/), digest: expect.stringMatching(/^[0-9a-f]+$/) }]);
  });

  test("answers what PhotoPrism sends for a caption", async () => {
    const photo = freshPhoto();
    const { caption } = await readCaption(await postPhoto(photo));
    const response = await postJson("/api/generate", {
      id: "3487da77-246e-4b4c-9437-67507177bcd7",
      model: "qwen2.5vl:7b",
      prompt: "Create a caption with exactly one sentence in the active voice.",
      suffix: "",
      options: { temperature: 0.1 },
      stream: false,
      images: [toBase64(photo)],
    });
    expect(response.headers.get("Content-Type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ model: "qwen2.5vl:7b", response: caption, done: true });
  });

  test("streams unless it is told not to, a JSON object per line", async () => {
    const response = await postJson("/api/generate", { model: "llava", images: [toBase64(freshPhoto())] });
    expect(response.headers.get("Content-Type")).toBe("application/x-ndjson");
    expect(JSON.parse((await response.text()).trimEnd())).toMatchObject({ done: true });
  });

  test.each([
    ["no photo", [], "images: expected one photo, received 0"],
    ["two photos", ["AAAA", "AAAA"], "images: expected one photo, received 2"],
    ["no base64", ["!"], "images: expected a photo in base64"],
    ["a text", [btoa("words")], "expected a JPEG"],
  ])("tells their client what is wrong with %s", async (_, images, message) => {
    await expect(client().generate({ model: "x", prompt: "", images })).rejects.toThrow(message);
  });

  test.each([
    ["/api/generate", "POST"],
    ["/api/chat", "POST"],
    ["/api/tags", "GET"],
  ])("has no %s unless the setting says so", async (path, method) => {
    await readProblem(await callWorker(path, { method, environment: { FACADES: "openai" } }), "not_found");
  });

  test("leaves other paths below /api as they are: nothing is there, whoever asks", async () => {
    await readProblem(await callWorker("/api/foo", { environment: { ...on, ACCESS: "keys" } }), "not_found");
  });
});
