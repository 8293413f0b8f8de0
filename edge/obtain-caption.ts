import type { Context } from "hono";
import { type CaptionOptions, type CaptionResult, captionResultSchema } from "../shared/contract.ts";
import { type Caption, cacheIdOf } from "./caption-cache.ts";
import type { Fate } from "./deletions.ts";
import type { EdgeEnv } from "./edge-env.ts";
import { joinFlight } from "./join-flight.ts";
import { parseJson } from "./parse-json.ts";
import { timePhase } from "./request-record.ts";
import type { Photo } from "./upload.ts";

export interface CaptionRequest {
  photo: Photo;
  options: CaptionOptions;
}

/** A photo's caption: from the cache, or from the service, which is asked once for all who want it at the same time. */
export async function obtainCaption(c: Context<EdgeEnv>, { photo, options }: CaptionRequest): Promise<Caption> {
  const revision = await c.get("revision").currentOrAsk();
  const key = { photoId: cacheIdOf(photo), revision, options };
  const caption =
    (await timePhase(c, "cache", c.get("cache").find(key))) ??
    (await timePhase(c, "service", makeCaption(c, { photo, options, revision })));
  if (caption.result.id !== photo.id) c.executionCtx.waitUntil(rememberFile(c, photo));
  return caption;
}

/** All of it, waiting for others included, ends within the upstream time limit. */
async function makeCaption(
  c: Context<EdgeEnv>,
  { photo, options, revision }: CaptionRequest & { revision: string },
): Promise<Caption> {
  const deadlineAtMs = Date.now() + c.get("settings").upstreamTimeoutMs;
  const outcome = await joinFlight(c.get("flights"), {
    key: { photoId: cacheIdOf(photo), revision, options },
    deadlineAtMs,
    run: () => forward(c, { photo, options, deadlineAtMs }),
    isKept: ({ result, from }) => result.model.revision === revision && from === "service",
  });
  if ("made" in outcome) return outcome.made;
  const { shared, isKept } = outcome;
  const result = parseJson(shared.body, captionResultSchema);
  if (isKept) c.get("cache").storeNear({ photoId: cacheIdOf(photo), revision, options }, shared);
  return { ...shared, result, from: "another request" };
}

/**
 * Stores the result under the revision that made it, whichever we looked for, unless the photo's captions were deleted since
 * the request began.
 */
async function forward(
  c: Context<EdgeEnv>,
  { photo, options, deadlineAtMs }: CaptionRequest & { deadlineAtMs: number },
): Promise<Caption> {
  const askedAtMs = Date.now();
  const caller = `${c.get("tier")} ${c.get("caller")}`;
  const said = await c.get("service").caption({ photo, options, deadlineAtMs, caller });
  const result = describeCaption(said, { photo, options });
  const { revision } = result.model;
  const caption = { body: JSON.stringify(result), storedAtMs: Date.now() };
  c.get("revision").learn(revision, { askedAtMs });
  const fate = await fateOf(c, photo);
  const key = { photoId: cacheIdOf(photo), revision, options };
  if (fate === "unknown") c.get("cache").storeNear(key, caption); // not for as long as KV would have it
  if (fate !== "kept") return { ...caption, result, from: "service, not stored" };
  c.get("cache").store(key, caption, { photo, areWanted: async () => (await fateOf(c, photo)) === "kept" });
  return { ...caption, result, from: "service" };
}

/** The caption is the service's to tell; the photo and the question are what we know them to be. */
function describeCaption(
  { caption, confidence, candidates, model }: CaptionResult,
  { photo: { id, contentId, bytes, format, width, height }, options }: CaptionRequest,
): CaptionResult {
  const image = { format, width, height, bytes: bytes.length };
  return { id, ...(contentId && { contentId }), caption, confidence, candidates, image, model, options };
}

/** Lets look-ups find this file too, which shows what another file showed before. */
async function rememberFile(c: Context<EdgeEnv>, photo: Photo): Promise<void> {
  if (photo.contentId === undefined || (await c.get("cache").findFile(photo.id)) !== null) return;
  const areWanted = async () => (await fateOf(c, photo)) === "kept";
  if (await areWanted()) c.get("cache").storeFile(photo, { areWanted });
}

function fateOf(c: Context<EdgeEnv>, photo: Photo): Promise<Fate> {
  return c.get("deletions").fateOf(photo, { sinceMs: c.get("startedAtMs") });
}
