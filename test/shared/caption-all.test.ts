import { setTimeout } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { captionAll, type PhotoOutcome } from "../../shared/caption-all.ts";
import { CaptionClient } from "../../shared/client.ts";
import { captionOf, idOf, type Received, refusal, startScriptedEdge } from "./scripted-edge.ts";

interface Named extends Blob {
  name: string;
}

function photo(name: string): Named {
  return Object.assign(new Blob([name], { type: "image/jpeg" }), { name });
}

/** Makes an edge that finds the `known` photos, captions the rest, and refuses those called broken. */
function edgeThatKnows(...known: string[]) {
  return ({ target, body }: Received) => {
    if (body === "broken") return refusal("invalid_image");
    if (!target.startsWith("/v1/captions/lookup")) return { body: captionOf(body, target) };
    const asked: string[] = JSON.parse(body).ids;
    const found = known.filter((name) => asked.includes(idOf(name)));
    const missing = asked.filter((id) => !found.some((name) => idOf(name) === id));
    return { body: { found: Object.fromEntries(found.map((name) => [idOf(name), captionOf(name, target)])), missing } };
  };
}

function uploadsOf(received: readonly Received[]): string[] {
  return received.filter(({ target }) => !target.includes("lookup")).map(({ body }) => body);
}

async function collect(outcomes: AsyncIterable<PhotoOutcome<Named>>): Promise<Record<string, unknown>> {
  const collected: Record<string, unknown> = {};
  for await (const outcome of outcomes) {
    const told = "error" in outcome ? outcome.error : { caption: outcome.result.caption, isHit: outcome.isHit };
    collected[outcome.photo.name] = told;
  }
  return collected;
}

describe("captionAll", () => {
  test("uploads only what is missing, and gives an outcome for each photo, the bad ones too", async () => {
    const { origin, received } = await startScriptedEdge(edgeThatKnows("dog", "cat"));
    const unreadable = Object.assign(photo("gone"), { arrayBuffer: () => Promise.reject(new Error("it was moved")) });
    const uploads: string[] = [];
    const outcomes = await collect(
      captionAll(
        new CaptionClient({ origin }),
        [photo("dog"), photo("broken"), unreadable, photo("bird"), photo("cat")],
        {
          onUpload: ({ name }) => uploads.push(name),
        },
      ),
    );
    expect(outcomes).toMatchObject({
      dog: { caption: "dog", isHit: true },
      cat: { caption: "cat", isHit: true },
      bird: { caption: "bird", isHit: false },
      broken: { code: "invalid_image" },
      gone: { message: "it was moved" },
    });
    expect(uploads).toEqual(["broken", "bird"]);
    expect(uploadsOf(received).sort()).toEqual(["bird", "broken"]);
  });

  test("takes photos as they come, and looks them up by the hundred", async () => {
    const { origin, received } = await startScriptedEdge(edgeThatKnows());
    async function* photos() {
      for (let index = 0; index < 230; index++) yield photo(`photo ${index}`);
    }
    const outcomes = await collect(captionAll(new CaptionClient({ origin }), photos()));
    expect(Object.keys(outcomes)).toHaveLength(230);
    expect(received.filter(({ target }) => target.includes("lookup"))).toHaveLength(3);
  });

  test("gives the same photo twice two outcomes", async () => {
    const { origin } = await startScriptedEdge(edgeThatKnows());
    const twice = photo("dog");
    const names: string[] = [];
    for await (const { photo } of captionAll(new CaptionClient({ origin }), [twice, twice])) names.push(photo.name);
    expect(names).toEqual(["dog", "dog"]);
  });

  test("has only as many uploads under way as it may", async () => {
    const { origin, received } = await startScriptedEdge((request) =>
      request.target.includes("lookup") ? edgeThatKnows()(request) : "hangs",
    );
    const ending = new AbortController();
    const photos = Array.from({ length: 10 }, (_, index) => photo(String(index)));
    const collecting = collect(
      captionAll(new CaptionClient({ origin }), photos, { uploadsAtOnce: 3, signal: ending.signal }),
    );
    await vi.waitFor(() => expect(uploadsOf(received)).toHaveLength(3));
    await setTimeout(100);
    expect(uploadsOf(received)).toHaveLength(3);
    ending.abort(new Error("enough"));
    await expect(collecting).rejects.toThrow("enough");
  });

  test("tells each photo what kept all of them from being looked up", async () => {
    const { origin } = await startScriptedEdge(() => refusal("unauthorized"));
    const outcomes = await collect(captionAll(new CaptionClient({ origin }), [photo("dog"), photo("cat")]));
    expect(outcomes).toMatchObject({ dog: { code: "unauthorized" }, cat: { code: "unauthorized" } });
  });

  test("ends the uploads under way when nobody wants more outcomes", async () => {
    const { origin, received } = await startScriptedEdge((request) =>
      request.body === "cat" ? "hangs" : edgeThatKnows()(request),
    );
    const signals: AbortSignal[] = [];
    const client = new CaptionClient({ origin });
    const caption = client.caption.bind(client);
    client.caption = (source, call) => {
      if (call?.signal !== undefined) signals.push(call.signal);
      return caption(source, call);
    };
    for await (const { photo: first } of captionAll(client, [photo("cat"), photo("dog")])) {
      expect(first.name).toBe("dog");
      break;
    }
    expect(uploadsOf(received)).toContain("cat");
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });
});
