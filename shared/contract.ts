import * as z from "zod";
import { cleanings } from "./clean-caption.ts";
import { CaptionError } from "./errors.ts";
import { allImageFormats } from "./image-header.ts";
import { scoreSchema } from "./manifest.ts";

/** Default upload limits, both of the edge and of the service: bytes of the file, pixels by its header. */
export const defaultMaxBytes = 20 * 1024 * 1024;
export const defaultMaxPixels = 100_000_000;
/** An AVIF or HEIC takes up to 80 ms and 18 MB of memory per megapixel, several times what other formats take. */
export const defaultMaxAvifPixels = 50_000_000;

const maxBeam = 10;
const maxCandidates = 5;
const defaultBeam = 3;
const defaultCandidates = 1;

/** Search options of one caption. `beam` 1 is greedy search; `candidates` is at most `beam`. */
export const captionOptionsSchema = z
  .strictObject({
    beam: z.int().min(1).max(maxBeam),
    candidates: z.int().min(1).max(maxCandidates),
  })
  .refine(({ beam, candidates }) => candidates <= beam);

export type CaptionOptions = z.infer<typeof captionOptionsSchema>;

export const defaultCaptionOptions: CaptionOptions = { beam: defaultBeam, candidates: defaultCandidates };

/** Every combination that may be asked for. */
export const allCaptionOptions: readonly CaptionOptions[] = Array.from({ length: maxBeam }, (_, index) => index + 1)
  .flatMap((beam) => Array.from({ length: maxCandidates }, (_, index) => ({ beam, candidates: index + 1 })))
  .filter(({ beam, candidates }) => candidates <= beam);

/** Reads `?beam=&candidates=`. Throws `invalid_request` that says what was expected and what came. */
export function parseCaptionOptions(query: URLSearchParams): CaptionOptions {
  for (const name of query.keys()) {
    if (name !== "beam" && name !== "candidates") {
      throw new CaptionError("invalid_request", `unknown query parameter ${quote(name)}: expected beam or candidates`);
    }
  }
  const beam = readWhole(query, { name: "beam", max: maxBeam, fallback: defaultBeam });
  const candidates = readWhole(query, { name: "candidates", max: maxCandidates, fallback: defaultCandidates });
  if (candidates > beam) {
    throw new CaptionError(
      "invalid_request",
      `expected candidates to be at most beam, received candidates=${candidates} and beam=${beam}`,
    );
  }
  return { beam, candidates };
}

function readWhole(query: URLSearchParams, field: { name: string; max: number; fallback: number }): number {
  const [value, second] = query.getAll(field.name);
  if (value === undefined) return field.fallback;
  if (second === undefined && /^\d{1,3}$/.test(value)) {
    const number = Number(value);
    if (number >= 1 && number <= field.max) return number;
  }
  const received = second === undefined ? quote(value) : "it more than once";
  throw new CaptionError(
    "invalid_request",
    `expected ${field.name} to be one whole number from 1 to ${field.max}, received ${received}`,
  );
}

/** A caller's text, shortened and escaped, fit for an error message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** The query string of a look-up's address; every option is spelt out, so one result has one address. */
export function captionQuery({ beam, candidates }: CaptionOptions): string {
  return `beam=${beam}&candidates=${candidates}`;
}

export const byteIdSchema = z
  .templateLiteral(["sha256:", z.string().regex(/^[0-9a-f]{64}$/)])
  .describe("`sha256:` and the hex SHA-256 of the file's bytes.");
export const contentIdSchema = z
  .templateLiteral(["content:", z.string().regex(/^[0-9a-f]{64}$/)])
  .describe("`content:` and the hex SHA-256 of what the photo shows, captions and camera data left out.");

/** Either id of a photo, as it stands in a look-up's address. */
export const photoIdSchema = z.union(
  [byteIdSchema, contentIdSchema],
  "expected sha256: or content: and 64 lower-case hexadecimal digits",
);

export type PhotoId = z.infer<typeof photoIdSchema>;

/** Ids that one look-up may ask for; KV answers as many keys at once. */
export const maxLookupIds = 100;

/** `POST /v1/captions/lookup`: which of these photos have a caption? */
export const lookupRequestSchema = z.strictObject({
  ids: z
    .array(photoIdSchema, "expected a list of ids")
    .min(1, "expected at least one id")
    .max(maxLookupIds, `expected at most ${maxLookupIds} ids`),
});

/** The JSON body of `POST /v1/captions`: a photo by its address. */
export const sourceRequestSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: "expected an http or https address" }).max(2048),
});

export const revisionSchema = z
  .string()
  .regex(/^[0-9a-f]{12}$/)
  .describe(
    "What the captions come from: the first 12 hex digits of the model bundle's manifest's SHA-256, or, computed in int8, of the SHA-256 of those and the word int8.",
  );

/** What a model is computed in. */
export const precisions = ["float32", "int8"] as const;

const precisionSchema = z
  .enum(precisions)
  .default("float32")
  .describe("What the encoder is computed in; captions of the two may differ, and so do their revisions.");

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

export type Candidate = z.infer<typeof candidateSchema>;

export const imageInfoSchema = z
  .object({
    format: z.enum(allImageFormats),
    width: z.int().positive(),
    height: z.int().positive(),
    bytes: z.int().positive(),
  })
  .describe("The image as its header tells it: size in pixels before EXIF orientation and an AVIF's own turning.");

export type ImageInfo = z.infer<typeof imageInfoSchema>;

export const captionResultSchema = z.object({
  id: byteIdSchema,
  contentId: contentIdSchema.optional(),
  caption: z.string().describe("The best candidate's."),
  confidence: confidenceSchema,
  candidates: z.array(candidateSchema).min(1).describe("Best first."),
  image: imageInfoSchema,
  model: z.object({ id: z.string(), revision: revisionSchema }),
  options: captionOptionsSchema,
});

export type CaptionResult = z.infer<typeof captionResultSchema>;

/** The answer to a look-up: results by the id that was asked for, and the ids that no stored result has. */
export const lookupReplySchema = z.object({
  found: z.record(photoIdSchema, captionResultSchema),
  missing: z.array(photoIdSchema),
});

export type LookupReply = z.infer<typeof lookupReplySchema>;

/** The answer to a deletion. */
export const deletionSchema = z.object({
  id: photoIdSchema,
  revision: revisionSchema.describe("The model whose captions were deleted: the one in service."),
  lastsSeconds: z.int().nonnegative().describe("For how many seconds a data centre may still answer with them."),
});

export type Deletion = z.infer<typeof deletionSchema>;

/** `GET /v1/model`: what captions come from. */
export const modelCardSchema = z.object({
  id: z.string(),
  revision: revisionSchema,
  precision: precisionSchema,
  description: z.string(),
  vocabularySize: z.int().positive(),
  cleaning: z.enum(cleanings),
  maxWords: z.int().positive(),
  scores: z.array(scoreSchema),
  licence: z.string(),
});

export type ModelCard = z.infer<typeof modelCardSchema>;

/** `GET /readyz` of a service that is ready: which engine answers on which device. Until then it answers 503. */
export const serviceReadinessSchema = z.object({
  status: z.literal("ready"),
  engine: z.string(),
  /** Why this engine was chosen. */
  reason: z.string(),
  device: z.string(),
  precision: precisionSchema,
  /** Whether it runs on the CPU though it was set up for a GPU. */
  fallback: z.boolean(),
  /** Engine processes that are warm, and that there should be. */
  engines: z.object({ ready: z.int().positive(), expected: z.int().positive() }),
  model: z.object({ id: z.string(), revision: revisionSchema }),
});

export type ServiceReadiness = z.infer<typeof serviceReadinessSchema>;
