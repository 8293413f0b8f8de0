import * as z from "zod";
import { captionOptionsSchema, captionStyles, defaultCaptionOptions } from "./caption-options.ts";
import { byteIdSchema, captionResultSchema, contentIdSchema, revisionSchema, sourceRequestSchema } from "./contract.ts";
import { errorCodes } from "./errors.ts";

/** Most addresses in one job; a longer list is several jobs, or a bucket. */
const maxJobUrls = 1000;
/** Most rows in one page of results. */
export const maxResultRows = 10_000;
export const defaultResultRows = 1000;

/** Files that a job writes beside photos: none, the result as JSON, or XMP, which photo programs read. */
export const sidecarChoices = ["none", "json", "xmp"] as const;

export type SidecarChoice = (typeof sidecarChoices)[number];
export type SidecarForm = Exclude<SidecarChoice, "none">;

const bucketSourceSchema = z.strictObject({
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, "expected a bucket's name: 3 to 63 of a-z, 0-9 and -")
    .describe("A bucket that the deployment lets jobs read."),
  prefix: z.string().max(1024).default("").describe("Only objects whose keys begin with this."),
  follow: z
    .boolean()
    .default(false)
    .describe("Keep the job open: photos that come or change later are captioned, those that go are forgotten."),
  sidecars: z
    .enum(sidecarChoices)
    .default("none")
    .describe(
      "`json` also writes each result into the bucket, as the photo's key with `.json` at its end; `xmp` writes its caption and keywords for photo programs, with `.xmp`.",
    ),
});

const urlSourceSchema = z.strictObject({
  urls: z
    .array(sourceRequestSchema.shape.url, "expected a list of addresses")
    .min(1, "expected at least one address")
    .max(maxJobUrls, `expected at most ${maxJobUrls} addresses`),
});

/** The JSON body of `POST /v1/jobs`. */
export const jobRequestSchema = z
  .strictObject({
    source: z.union([bucketSourceSchema, urlSourceSchema], {
      error: (issue) => expectedSource(issue.input),
    }),
    beam: captionOptionsSchema.shape.beam.default(defaultCaptionOptions.beam),
    candidates: captionOptionsSchema.shape.candidates.default(defaultCaptionOptions.candidates),
    maxWords: captionOptionsSchema.shape.maxWords,
    style: z
      .enum(captionStyles)
      .default("plain")
      .describe("`sentence` begins captions with a capital and ends them with a full stop."),
    neutral: z
      .boolean()
      .default(false)
      .describe("English words for women, men, girls and boys become person and child."),
    keywords: z
      .boolean()
      .default(false)
      .describe("Results also have keywords, and XMP sidecars have them as `dc:subject`."),
  })
  .refine(({ beam, candidates }) => candidates <= beam, "expected candidates to be at most beam");

export type JobRequest = z.output<typeof jobRequestSchema>;
/** A job as a caller asks for it: what has a default may be left out. */
export interface JobOrder extends z.input<typeof jobRequestSchema> {}

/**
 * `listing` finds its photos, `running` captions them, `following` waits for changes of its bucket; the others are ends.
 * `failed` means that its photos could not be listed.
 */
export const jobStates = ["listing", "running", "following", "done", "cancelled", "failed"] as const;

const count = z.int().nonnegative();

export const jobSchema = z.object({
  id: z.uuid(),
  state: z
    .enum(jobStates)
    .describe(
      "`listing` while its photos are found, `running` while they are captioned, `following` while a bucket is watched; `done`, `cancelled` and `failed` are ends.",
    ),
  reason: z.string().optional().describe("Why it has failed, or was cancelled although nobody asked for it."),
  source: z.union([
    z.object(bucketSourceSchema.shape).required(),
    z.object({ urls: z.int().positive().describe("Number of addresses.") }),
  ]),
  options: captionOptionsSchema,
  listed: count.describe("Photos found so far; all of them once it is no longer `listing`."),
  done: count.describe("Photos with a caption."),
  cached: count.describe("Those among them whose caption a cache held, so that no model ran."),
  failed: count.describe("Photos without a caption, each with its reason in the results."),
  photosPerSecond: z
    .number()
    .nonnegative()
    .optional()
    .describe("Since the job began; left out before the first photo."),
  secondsLeft: count.optional().describe("At this rate; left out while `listing`."),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
});

/** A job and how far it is. */
export interface Job extends z.infer<typeof jobSchema> {}

/** The answer to `GET /v1/jobs`: those of the caller's key, the newest first. */
export const jobListSchema = z.object({
  jobs: z.array(jobSchema),
  cursor: z.string().optional().describe("For the next page; left out on the last."),
});

/** One photo of a job, a line of its results. */
export const jobResultSchema = z.object({
  object: z.string().describe("The object's key, or the address."),
  state: z.enum(["queued", "done", "failed", "cancelled"]),
  caption: z.string().optional(),
  confidence: captionResultSchema.shape.confidence.optional(),
  candidates: z
    .array(z.object({ caption: z.string(), confidence: captionResultSchema.shape.confidence }))
    .optional()
    .describe("Best first, for a job that asked for more than one."),
  keywords: captionResultSchema.shape.keywords.describe("Most confident first, for a job that asked for them."),
  isCached: z.boolean().optional(),
  id: byteIdSchema.optional(),
  contentId: contentIdSchema.optional(),
  revision: revisionSchema.optional(),
  error: z
    .object({ code: z.enum(errorCodes), detail: z.string() })
    .optional()
    .describe("Why there is no caption: a code of the contract, and a sentence."),
});

/** What became of one photo of a job. */
export interface JobResult extends z.infer<typeof jobResultSchema> {}

/** Columns of the results as CSV. */
export const resultColumns = [
  ...["object", "state", "caption", "confidence", "isCached"],
  ...["id", "contentId", "revision", "code", "detail"],
] as const;

/** Media types of results. */
export const resultTypes = { jsonl: "application/jsonl", csv: "text/csv" } as const;

/** Forms of a job's results, by the name of their file's extension. */
export type ResultForm = keyof typeof resultTypes;

/** Whether nothing more happens to a job by itself. */
export function isOver({ state }: Pick<Job, "state">): boolean {
  return state === "done" || state === "cancelled" || state === "failed";
}

/** Says what is wrong with a source, which a union of schemas would not. */
function expectedSource(input: unknown): string {
  const schema = typeof input === "object" && input !== null && "urls" in input ? urlSourceSchema : bucketSourceSchema;
  if (typeof input !== "object" || input === null || !("urls" in input || "bucket" in input)) {
    return 'expected {"bucket": "photos", "prefix": "2024/"} or {"urls": […]}';
  }
  const [issue] = schema.safeParse(input).error?.issues ?? [];
  return `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "expected a bucket or addresses"}`;
}
