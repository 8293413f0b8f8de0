import * as z from "zod";
import { captionOptionsSchema } from "./caption-options.ts";
import { cleanings } from "./clean-caption.ts";
import { allImageFormats } from "./image-header.ts";
import { scoreSchema } from "./manifest.ts";
import type { ByteId, ContentId } from "./photo-id.ts";

/** Default upload limits of both edge and service: bytes of the file, pixels by its header. */
export const defaultMaxBytes = 20 * 1024 * 1024;
export const defaultMaxPixels = 100_000_000;
/** Default limit for AVIF and HEIC, which take up to 80 ms and 18 MB of memory per megapixel, several times as much as other formats. */
export const defaultMaxAvifPixels = 50_000_000;

export const byteIdSchema = z
  .templateLiteral(["sha256:", z.string().regex(/^[0-9a-f]{64}$/)])
  .describe("`sha256:` and the hex SHA-256 of the file's bytes.");
export const contentIdSchema = z
  .templateLiteral(["content:", z.string().regex(/^[0-9a-f]{64}$/)])
  .describe("`content:` and the hex SHA-256 of what the photo shows, captions and camera data left out.");

/** Either id of a photo, as in a look-up's URL. */
export const photoIdSchema = z.union(
  [byteIdSchema, contentIdSchema],
  "expected sha256: or content: and 64 lower-case hexadecimal digits",
);

/** A photo's id: of its bytes (`sha256:…`) or of what it shows (`content:…`). */
export type PhotoId = ByteId | ContentId;

/** Most ids in one look-up, which is also the most keys that KV reads at once. */
export const maxLookupIds = 100;

/** The JSON body of `POST /v1/captions/lookup`, which asks which photos have a caption. */
export const lookupRequestSchema = z.strictObject({
  ids: z
    .array(photoIdSchema, "expected a list of ids")
    .min(1, "expected at least one id")
    .max(maxLookupIds, `expected at most ${maxLookupIds} ids`),
});

/** The JSON body of `POST /v1/captions`, which names a photo's address. */
export const sourceRequestSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: "expected an http or https address" }).max(2048),
});

export const revisionSchema = z
  .string()
  .regex(/^[0-9a-f]{12}$/)
  .describe(
    "What the captions come from: the first 12 hex digits of the model bundle's manifest's SHA-256, or, computed in int8, of the SHA-256 of those and the word int8.",
  );

/** Number formats in which a model is computed. */
export const precisions = ["float32", "int8"] as const;

const precisionSchema = z
  .enum(precisions)
  .default("float32")
  .describe("The encoder's number format. Captions in the two may differ, and so do their revisions.");

const probabilitySchema = z.number().min(0).max(1);

const wordSchema = z.object({
  word: z.string(),
  probability: probabilitySchema.describe("How probable the word was, given the photo and the words before it."),
  end: z
    .literal(true)
    .optional()
    .describe("Set on the word that ends the caption; it is no part of the caption's text."),
});

const confidenceSchema = probabilitySchema.describe(
  "The geometric mean of the words' probabilities, end included, through the model's calibration where it has one.",
);

export const candidateSchema = z.object({
  caption: z.string(),
  confidence: confidenceSchema,
  logProb: z.number().max(0).describe("Natural logarithm of the product of the words' probabilities."),
  words: z.array(wordSchema),
});

/** One caption that the search found, with the probability of each word. */
export interface Candidate extends z.infer<typeof candidateSchema> {}

export const keywordSchema = z.object({
  keyword: z.string().describe("A word of the candidates that describes the photo, in its dictionary form."),
  confidence: probabilitySchema.describe("How sure the model is that the word belongs to the photo."),
});

/** A word that describes a photo, with its confidence. */
export interface Keyword extends z.infer<typeof keywordSchema> {}

export const imageInfoSchema = z
  .object({
    format: z.enum(allImageFormats),
    width: z.int().positive(),
    height: z.int().positive(),
    bytes: z.int().positive(),
  })
  .describe("The image by its header: size in pixels before EXIF orientation and an AVIF's own rotation.");

/** What a photo's header says. */
export interface ImageInfo extends z.infer<typeof imageInfoSchema> {}

export const captionResultSchema = z.object({
  id: byteIdSchema,
  contentId: contentIdSchema.optional(),
  caption: z.string().describe("The best candidate's."),
  confidence: confidenceSchema,
  candidates: z.array(candidateSchema).min(1).describe("Best first."),
  keywords: z.array(keywordSchema).optional().describe("Those that were asked for, most confident first."),
  image: imageInfoSchema,
  model: z.object({ id: z.string(), revision: revisionSchema }).describe("What made the caption."),
  options: captionOptionsSchema.describe("Those that were asked for."),
});

/** A photo's caption, with other candidates and what they were made from. */
export interface CaptionResult extends z.infer<typeof captionResultSchema> {}

/** The answer to a look-up: results by requested id, and the ids that have none. */
export const lookupReplySchema = z.object({
  found: z.record(photoIdSchema, captionResultSchema),
  missing: z.array(photoIdSchema),
});

export type LookupReply = z.infer<typeof lookupReplySchema>;

/** The answer to a deletion. */
export const deletionSchema = z.object({
  id: photoIdSchema,
  revision: revisionSchema.describe("The model whose captions were deleted: the one in service."),
  lastsSeconds: z.int().nonnegative().describe("Seconds for which a data centre may still answer with them."),
});

export type Deletion = z.infer<typeof deletionSchema>;

/** The answer to `GET /v1/model`, which describes the model in service. */
export const modelCardSchema = z.object({
  id: z.string(),
  revision: revisionSchema,
  precision: precisionSchema,
  description: z.string(),
  vocabularySize: z.int().positive().describe("Words that the model has, with padding, start and end."),
  cleaning: z.enum(cleanings).describe("How captions became words in training."),
  maxWords: z.int().positive().describe("Words of the longest caption."),
  scores: z.array(scoreSchema).describe("Agreement with people's captions, times 100, as the COCO scorer computes it."),
  licence: z.string(),
});

/** What a deployment says about its model. */
export interface ModelCard extends z.infer<typeof modelCardSchema> {}

/** The answer to `GET /readyz` of a ready service: its engine and device. A service that is not ready answers 503. */
export const serviceReadinessSchema = z.object({
  status: z.literal("ready"),
  engine: z.string(),
  /** Reason why this engine was chosen. */
  reason: z.string(),
  device: z.string(),
  precision: precisionSchema,
  /** Whether it runs on the CPU although it was set up for a GPU. */
  fallback: z.boolean(),
  /** Number of engine processes that are warm, and that there should be. */
  engines: z.object({ ready: z.int().positive(), expected: z.int().positive() }),
  model: z.object({ id: z.string(), revision: revisionSchema }),
});

export type ServiceReadiness = z.infer<typeof serviceReadinessSchema>;
