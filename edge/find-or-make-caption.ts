import type { Context } from "hono";
import { type CaptionOptions, type CaptionResult, captionResultSchema } from "../shared/contract.ts";
import { type Caption, cacheIdOf } from "./caption-cache.ts";
import type { EdgeEnv } from "./context.ts";
import type { Fate } from "./deletions.ts";
import { joinFlight } from "./join-flight.ts";
import { timePhase } from "./request-record.ts";
import type { CheckedPhoto } from "./upload.ts";

interface CaptionRequest {
  photo: CheckedPhoto;
  options: CaptionOptions;
}

/** Finds a photo's caption in the cache, or has the service make it once for all requests that want it at the same time. */
export async function findOrMakeCaption(c: Context<EdgeEnv>, { photo, options }: CaptionRequest): Promise<Caption> {
  const revision = await c.get("revision").currentOrAsk();
  const key = { photoId: cacheIdOf(photo), revision, options };
  const caption =
    (await timePhase(c, "cache", c.get("cache").find(key))) ??
    (await timePhase(c, "service", makeOrAwaitCaption(c, { photo, options, revision })));
  if (caption.result.id !== photo.id) c.executionCtx.waitUntil(storeFile(c, photo));
  return caption;
}

/** Ends within the upstream time limit, which includes waiting for another request's flight. */
async function makeOrAwaitCaption(
  c: Context<EdgeEnv>,
  { photo, options, revision }: CaptionRequest & { revision: string },
): Promise<Caption> {
  const deadlineAtMs = Date.now() + c.get("settings").upstreamTimeoutMs;
  const key = { photoId: cacheIdOf(photo), revision, options };
  const outcome = await joinFlight(c.get("flights"), {
    key,
    deadlineAtMs,
    run: () => makeCaption(c, { photo, options, deadlineAtMs }),
    isKept: ({ result, from }) => result.model.revision === revision && from === "service",
  });
  if ("made" in outcome) return outcome.made;
  const { shared, isKept } = outcome;
  const result = captionResultSchema.parse(JSON.parse(shared.body));
  if (isKept) c.get("cache").storeNear(key, shared);
  return { ...shared, result, from: "another request" };
}

/**
 * Has the service caption the photo and stores the result under the revision that made it, which may be a newer one than we
 * looked for. Stores nothing when the photo's captions were deleted since the request began.
 */
async function makeCaption(
  c: Context<EdgeEnv>,
  { photo, options, deadlineAtMs }: CaptionRequest & { deadlineAtMs: number },
): Promise<Caption> {
  const askedAtMs = Date.now();
  const caller = `${c.get("tier")} ${c.get("caller")}`;
  const answer = await c.get("service").caption({ photo, options, deadlineAtMs, caller });
  const result = describeCaption(answer, { photo, options });
  const { revision } = result.model;
  const caption = { body: JSON.stringify(result), storedAtMs: Date.now() };
  c.get("revision").learn(revision, { askedAtMs });
  const fate = await fateOf(c, photo);
  const key = { photoId: cacheIdOf(photo), revision, options };
  if (fate === "unknown") c.get("cache").storeNear(key, caption); // KV would keep it for too long
  if (fate !== "kept") return { ...caption, result, from: "service, not stored" };
  c.get("cache").store(key, caption, { photo, areWanted: async () => (await fateOf(c, photo)) === "kept" });
  return { ...caption, result, from: "service" };
}

/** Takes the caption from the service's answer, and photo and options from the request. */
function describeCaption(
  { caption, confidence, candidates, model }: CaptionResult,
  { photo: { id, contentId, bytes, format, width, height }, options }: CaptionRequest,
): CaptionResult {
  const image = { format, width, height, bytes: bytes.length };
  return { id, ...(contentId && { contentId }), caption, confidence, candidates, image, model, options };
}

/** Stores which content a file has, so that look-ups by the file's id find a caption that was made for another file. */
async function storeFile(c: Context<EdgeEnv>, photo: CheckedPhoto): Promise<void> {
  if (photo.contentId === undefined || (await c.get("cache").findFile(photo.id)) !== null) return;
  const areWanted = async () => (await fateOf(c, photo)) === "kept";
  if (await areWanted()) c.get("cache").storeFile(photo, { areWanted });
}

function fateOf(c: Context<EdgeEnv>, photo: CheckedPhoto): Promise<Fate> {
  return c.get("deletions").fateOf(photo, { sinceMs: c.get("startedAtMs") });
}
