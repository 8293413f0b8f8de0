import type { SearchOptions } from "../shared/caption-options.ts";
import { type CaptionResult, captionResultSchema } from "../shared/contract.ts";
import type { Priority } from "../shared/priority.ts";
import { type Caption, cacheIdOf } from "./caption-cache.ts";
import type { CaptionParts, RequestPhase } from "./context.ts";
import type { Fate } from "./deletions.ts";
import { joinFlight } from "./join-flight.ts";
import type { CheckedPhoto } from "./upload.ts";

/** For whom and with what a photo is captioned: for a request, or for a job. */
export interface CaptionScope extends CaptionParts {
  /** Time before the photo was read. A deletion after it wins over what would be stored. */
  startedAtMs: number;
  /** Tier and key or network, for which the service counts photos that take long. */
  caller: string;
  /** Whether a person waits; by default one does. */
  priority?: Priority;
  waitUntil: (work: Promise<unknown>) => void;
  /** Measures a phase. */
  time: <T>(phase: RequestPhase, work: Promise<T>) => Promise<T>;
}

interface CaptionRequest {
  photo: CheckedPhoto;
  options: SearchOptions;
}

/** Finds a photo's caption in the cache, or has the service make it once for all requests that want it at the same time. */
export async function findOrMakeCaption(scope: CaptionScope, { photo, options }: CaptionRequest): Promise<Caption> {
  const revision = await scope.revision.currentOrAsk();
  const key = { photoId: cacheIdOf(photo), revision, options };
  const caption =
    (await scope.time("cache", scope.cache.find(key))) ??
    (await scope.time("service", makeOrAwaitCaption(scope, { photo, options, revision })));
  if (caption.result.id !== photo.id) scope.waitUntil(storeFile(scope, photo));
  return caption;
}

/** Ends within the upstream time limit, which includes waiting for another request's flight. */
async function makeOrAwaitCaption(
  scope: CaptionScope,
  { photo, options, revision }: CaptionRequest & { revision: string },
): Promise<Caption> {
  const deadlineAtMs = Date.now() + scope.settings.upstreamTimeoutMs;
  const key = { photoId: cacheIdOf(photo), revision, options };
  const outcome = await joinFlight(scope.flights, {
    key,
    deadlineAtMs,
    priority: scope.priority ?? "interactive",
    run: () => makeCaption(scope, { photo, options, deadlineAtMs }),
    isKept: ({ result, from }) => result.model.revision === revision && from === "service",
  });
  if ("made" in outcome) return outcome.made;
  const { shared, isKept } = outcome;
  const result = captionResultSchema.parse(JSON.parse(shared.body));
  if (isKept) scope.cache.storeNear(key, shared);
  return { ...shared, result, from: "another request" };
}

/**
 * Has the service caption the photo and stores the result under the revision that made it, which may be a newer one than we
 * looked for. Stores nothing when the photo's captions were deleted since the request began.
 */
async function makeCaption(
  scope: CaptionScope,
  { photo, options, deadlineAtMs }: CaptionRequest & { deadlineAtMs: number },
): Promise<Caption> {
  const askedAtMs = Date.now();
  const { caller, priority } = scope;
  const answer = await scope.service.caption({ photo, options, deadlineAtMs, caller, ...(priority && { priority }) });
  const result = describeCaption(answer, { photo, options });
  const { revision } = result.model;
  const caption = { body: JSON.stringify(result), storedAtMs: Date.now() };
  scope.revision.learn(revision, { askedAtMs });
  const fate = await fateOf(scope, photo);
  const key = { photoId: cacheIdOf(photo), revision, options };
  if (fate === "unknown") scope.cache.storeNear(key, caption); // KV would keep it for too long
  if (fate !== "kept") return { ...caption, result, from: "service, not stored" };
  scope.cache.store(key, caption, { photo, areWanted: async () => (await fateOf(scope, photo)) === "kept" });
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
async function storeFile(scope: CaptionScope, photo: CheckedPhoto): Promise<void> {
  if (photo.contentId === undefined || (await scope.cache.findFile(photo.id)) !== null) return;
  const areWanted = async () => (await fateOf(scope, photo)) === "kept";
  if (await areWanted()) scope.cache.storeFile(photo, { areWanted });
}

function fateOf(scope: CaptionScope, photo: CheckedPhoto): Promise<Fate> {
  return scope.deletions.fateOf(photo, { sinceMs: scope.startedAtMs });
}
