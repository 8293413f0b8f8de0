import OpenAI from "openai";
import { beforeEach, describe, expect, inject, test } from "vitest";
import {
  callWorker,
  freshPhoto,
  image,
  postPhoto,
  readCaption,
  readProblem,
  startFreshDeployment,
} from "../call-worker.ts";
import { madeKey } from "../made-keys.ts";
import { fetchFromWorker, toBase64 } from "./fetch-from-worker.ts";

const on = { FACADES: "openai" };

beforeEach(startFreshDeployment);

/** Creates their own client, with the worker instead of the network. */
function client({
  apiKey = "none",
  environment = on,
}: {
  apiKey?: string;
  environment?: Record<string, unknown>;
} = {}) {
  return new OpenAI({ apiKey, baseURL: "https://edge.test/v1", fetch: fetchFromWorker(environment), maxRetries: 0 });
}

const photoPart = (photo: Uint8Array) =>
  ({ type: "image_url", image_url: { url: `data:image/jpeg;base64,${toBase64(photo)}` } }) as const;

const ask = (...parts: OpenAI.ChatCompletionContentPart[]) => ({
  model: "gpt-4o",
  messages: [
    { role: "system" as const, content: "You describe photos." },
    { role: "user" as const, content: [{ type: "text" as const, text: "What is in this photo?" }, ...parts] },
  ],
});

describe("the chat completions of OpenAI", () => {
  test("answers their client with the caption of a data URL", async () => {
    const photo = freshPhoto();
    const { caption, model } = await readCaption(await postPhoto(photo));
    const answer = await client().chat.completions.create(ask(photoPart(photo)));
    expect(answer.choices).toMatchObject([{ message: { role: "assistant", content: caption }, finish_reason: "stop" }]);
    expect(answer.model).toBe("gpt-4o");
    expect(answer.system_fingerprint).toBe(`${model.id}@${model.revision}, prompt ignored`);
    expect(answer.usage?.completion_tokens).toBeGreaterThan(1);
  });

  test("fetches a photo from an address that a setting allows", async () => {
    const site = inject("photoSources");
    const environment = { ...on, SOURCE_HOSTS: new URL(site).host };
    const { caption } = await readCaption(await postPhoto(image("photo")));
    const part = { type: "image_url", image_url: { url: `${site}/photo.jpg`, detail: "low" } } as const;
    const answer = await client({ environment }).chat.completions.create(ask(part));
    expect(answer.choices[0]?.message.content).toBe(caption);
  });

  test("streams the caption to their client", async () => {
    const photo = freshPhoto();
    const { caption } = await readCaption(await postPhoto(photo));
    const stream = await client().chat.completions.create({
      ...ask(photoPart(photo)),
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let tokens = 0;
    for await (const { choices, usage } of stream) {
      text += choices[0]?.delta.content ?? "";
      tokens += usage?.completion_tokens ?? 0;
    }
    expect(text).toBe(caption);
    expect(tokens).toBeGreaterThan(1);
  });

  test("captions the last message's photo of a conversation", async () => {
    const [first, last] = [freshPhoto(), freshPhoto()];
    const { messages } = ask(photoPart(first));
    const { caption } = await readCaption(await postPhoto(last));
    const answer = await client().chat.completions.create({
      model: "any",
      messages: [
        ...messages,
        { role: "assistant", content: "a photo" },
        { role: "user", content: [photoPart(last)] },
        { role: "user", content: "and shorter, please" },
      ],
    });
    expect(answer.choices[0]?.message.content).toBe(caption);
  });

  test("lists the one model to their client", async () => {
    const { data } = await client().models.list();
    expect(data).toEqual([{ id: expect.stringMatching(/\w/), object: "model", created: 0, owned_by: "edge-caption" }]);
  });

  test("takes a key of ours as their client's, and tells it why another is refused", async () => {
    const { key } = await madeKey();
    const environment = { ...on, ACCESS: "keys" };
    const answer = await client({ apiKey: key, environment }).chat.completions.create(ask(photoPart(freshPhoto())));
    expect(answer.choices).toHaveLength(1);
    const refused = client({ apiKey: "sk-abc", environment }).chat.completions.create(ask(photoPart(freshPhoto())));
    await expect(refused).rejects.toThrow("401 the API key is not known here");
    await expect(refused).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });

  test.each([
    ["no photo", [], "400 messages: expected one image_url, received 0"],
    [
      "two photos",
      [photoPart(freshPhoto()), photoPart(freshPhoto())],
      "400 messages: expected one image_url, received 2",
    ],
    [
      "no base64",
      [{ type: "image_url", image_url: { url: "data:image/png;base64,!" } } as const],
      "400 image_url: expected a photo in base64",
    ],
    [
      "no address",
      [{ type: "image_url", image_url: { url: "photo.jpg" } } as const],
      "400 image_url: expected a data URL",
    ],
    ["a text", [photoPart(new TextEncoder().encode("words"))], "415 expected a JPEG"],
    [
      "an address that is not allowed",
      [{ type: "image_url", image_url: { url: "https://photos.test/a.jpg" } } as const],
      "422 photos are not fetched from private addresses",
    ],
  ])("tells their client what is wrong with %s", async (_, parts, message) => {
    await expect(client().chat.completions.create(ask(...parts))).rejects.toThrow(message);
  });

  test.each([
    ["/v1/chat/completions", "POST"],
    ["/v1/models", "GET"],
  ])("has no %s unless the setting says so", async (path, method) => {
    const environment = { FACADES: "ollama" };
    await readProblem(await callWorker(path, { method, environment }), "not_found");
  });
});
