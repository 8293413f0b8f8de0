import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { type CaptionResult, type LookupReply, lookupReplySchema } from "../../shared/contract.ts";
import { byteIdOf } from "../../shared/photo-id.ts";
import {
  callWorker,
  faultyService,
  freshPhoto,
  image,
  postPhoto,
  readCaption,
  readProblem,
  startFreshDeployment,
  watchWarnings,
  withComment,
} from "./call-worker.ts";

const unknownId = `sha256:${"0".repeat(64)}`;
const unknownContent = `content:${"0".repeat(64)}`;

beforeEach(startFreshDeployment);

function lookUp(body: unknown, { query = "", environment = faultyService("absent") as Record<string, unknown> } = {}) {
  return callWorker(`/v1/captions/lookup${query}`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    environment,
  });
}

async function readReply(response: Response): Promise<LookupReply> {
  expect(response.status).toBe(200);
  return lookupReplySchema.parse(await response.json());
}

const caption = async (photo: Uint8Array<ArrayBuffer>, query = ""): Promise<CaptionResult> =>
  readCaption(await postPhoto(photo, { query }));

/** Makes a KV that counts reads and passes them on to the real one. */
function countingKv() {
  let reads = 0;
  const count = <T>(answer: T): T => {
    reads++;
    return answer;
  };
  const kv = {
    get: (key: never) => count(env.CAPTIONS.get(key)),
    getWithMetadata: (key: never) => count(env.CAPTIONS.getWithMetadata(key)),
    put: () => Promise.resolve(),
  };
  return { kv, reads: () => reads };
}

describe("a look-up of many photos", () => {
  test("gives the results there are by the ids asked for, and lists the rest", async () => {
    const [jpeg, gif] = [freshPhoto(), image("gif")];
    const [first, second] = [await caption(jpeg), await caption(gif)];
    const ids = [unknownId, first.id, second.id, first.contentId, unknownContent];
    expect(await readReply(await lookUp({ ids }))).toEqual({
      found: { [first.id]: first, [second.id]: second, [String(first.contentId)]: first },
      missing: [unknownId, unknownContent],
    });
  });

  test("answers each file that shows the same under its own id and size", async () => {
    const photo = freshPhoto();
    const other = withComment(photo, "a dog runs");
    const [first, second] = [await caption(photo), await caption(other)];
    const { found } = await readReply(await lookUp({ ids: [second.id, first.id] }));
    expect(found).toEqual({ [first.id]: first, [second.id]: second });
    expect(second.image.bytes).toBe(other.length);
  });

  test("looks for the options asked for", async () => {
    const photo = freshPhoto();
    const { id } = await caption(photo, "?beam=2&candidates=2");
    expect((await readReply(await lookUp({ ids: [id] }))).missing).toEqual([id]);
    const { found } = await readReply(await lookUp({ ids: [id] }, { query: "?beam=2&candidates=2" }));
    expect(found[id as `sha256:${string}`]?.candidates).toHaveLength(2);
  });

  test("asks KV twice for a hundred, and lists an id given twice once", async () => {
    const { id } = await caption(freshPhoto());
    const ids = [id, id, ...Array.from({ length: 98 }, (_, index) => `sha256:${String(index).padStart(64, "0")}`)];
    const { kv, reads } = countingKv();
    const { found, missing } = await readReply(await lookUp({ ids }, { environment: { CAPTIONS: kv } }));
    expect(Object.keys(found)).toEqual([id]);
    expect(missing).toHaveLength(98);
    expect(reads()).toBe(2);
  });

  test("counts a photo whose entry is damaged as missing", async () => {
    watchWarnings();
    const { id, contentId, model } = await caption(freshPhoto());
    await env.CAPTIONS.put(`caption/${model.revision}/${contentId}?beam=3&candidates=1`, "{");
    expect(await readReply(await lookUp({ ids: [id] }))).toEqual({ found: {}, missing: [id] });
  });

  test("counts all as missing while KV is down", async () => {
    watchWarnings();
    const { id } = await caption(freshPhoto());
    const down = () => Promise.reject(new Error("KV is down"));
    const environment = { CAPTIONS: { get: down, getWithMetadata: down, put: down } };
    expect(await readReply(await lookUp({ ids: [id] }, { environment }))).toEqual({ found: {}, missing: [id] });
  });
});

describe("a look-up of many photos is 400", () => {
  test.each([
    ["no JSON", "photo", "expected a JSON body"],
    ["no ids", {}, "ids: expected a list of ids"],
    ["an empty list", { ids: [] }, "ids: expected at least one id"],
    ["too many", { ids: Array(101).fill(unknownId) }, "ids: expected at most 100 ids"],
    ["no id", { ids: [unknownId, "dog.jpg"] }, "ids.1: expected sha256: or content:"],
    ["a number", { ids: [7] }, "ids.0: expected sha256: or content:"],
    ["another field", { ids: [unknownId], beam: 3 }, '"beam"'],
  ])("for %s", async (_, body, why) => {
    expect((await readProblem(await lookUp(body), "invalid_request")).detail).toContain(why);
  });

  test("for options that there are not", async () => {
    await readProblem(await lookUp({ ids: [unknownId] }, { query: "?beam=11" }), "invalid_request");
  });
});

test("is 413 for a body that no hundred ids fill", async () => {
  await readProblem(await lookUp(`{"ids":["${"0".repeat(20_000)}"]}`), "payload_too_large");
});

test("is 502 while the service is down and nobody has ever told its revision", async () => {
  watchWarnings();
  await readProblem(await lookUp({ ids: [await byteIdOf(freshPhoto())] }), "upstream_error");
});
