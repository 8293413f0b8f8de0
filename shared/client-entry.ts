/** `edge-caption/client`: what a program needs that captions at an edge. A package's entry is one file, so this one re-exports. */
export { captionAll, type PhotoOutcome } from "./caption-all.ts";
export type { CaptionOptions } from "./caption-options.ts";
export { type CaptionAnswer, type CaptionCall, CaptionClient, type PhotoSource } from "./client.ts";
export type { RequestWatch } from "./client-request.ts";
export type { Candidate, CaptionResult, ImageInfo, Keyword, ModelCard, PhotoId } from "./contract.ts";
export { CaptionError, type ErrorCode } from "./errors.ts";
export type { Job, JobOrder, JobResult, ResultForm } from "./jobs.ts";
export { type PhotoIds, photoIdsOf } from "./photo-id.ts";
