import * as z from "zod";
import { cleanings } from "./clean-caption.ts";
import { CaptionError, quote } from "./errors.ts";
import { allImageFormats } from "./image-header.ts";
import { scoreSchema } from "./manifest.ts";
import type { ByteId, ContentId } from "./photo-id.ts";

/** Default upload limits of both edge and service: bytes of the file, pixels by its header. */
export const defaultMaxBytes = 20 * 1024 * 1024;
export const defaultMaxPixels = 100_000_000;
/** Default limit for AVIF and HEIC, which take up to 80 ms and 18 MB of memory per megapixel, several times as much as other formats. */
export const defaultMaxAvifPixels = 50_000_000;

const maxBeam = 10;
const maxCandidates = 5;
const defaultBeam = 3;
const defaultCandidates = 1;
const leastMaxWords = 5;
const mostMaxWords = 20;

/** Search options of one caption, which decide what the model says. `beam` 1 is greedy search; `candidates` is at most `beam`. */
const searchOptionsShape = {
  beam: z.int().min(1).max(maxBeam).describe("Partial captions that the search keeps; 1 is greedy search."),
  candidates: z.int().min(1).max(maxCandidates).describe("Captions in the answer; at most `beam`."),
  maxWords: z
    .int()
    .min(leastMaxWords)
    .max(mostMaxWords)
    .optional()
    .describe("Captions end with about this many words, later only to avoid a bad ending."),
};

/** Options of a caption's form, which change what is told of a search's result. A value that is the default is left out. */
const formOptionsShape = {
  style: z.literal("sentence").optional().describe("Captions begin with a capital and end with a full stop."),
  neutral: z.literal(true).optional().describe("English words for women, men, girls and boys become person and child."),
  keywords: z.literal(true).optional().describe("The answer also has keywords."),
};

export const captionOptionsSchema = z
  .strictObject({ ...searchOptionsShape, ...formOptionsShape })
  .refine(({ beam, candidates }) => candidates <= beam);

/** How to search for a caption, and which form it is to have. `candidates` is at most `beam`. */
export interface CaptionOptions extends z.infer<typeof captionOptionsSchema> {}
export type SearchOptions = Pick<CaptionOptions, keyof typeof searchOptionsShape>;
export type FormOptions = Pick<CaptionOptions, keyof typeof formOptionsShape>;

export const defaultCaptionOptions: CaptionOptions = { beam: defaultBeam, candidates: defaultCandidates };

/** The parameters of a caption's URL, as strings. */
const captionParameters = ["beam", "candidates", "maxWords", "style", "neutral", "keywords"] as const;

type CaptionParameter = (typeof captionParameters)[number];

/** Forms that may be asked for by name; `plain` is the default. */
export const captionStyles = ["plain", "sentence"] as const;

/** Reads `?beam=&candidates=` and the others. Throws `invalid_request` that says what was expected and what was received. */
export function parseCaptionOptions(query: URLSearchParams): CaptionOptions {
  const names: readonly string[] = captionParameters;
  for (const name of query.keys()) {
    if (names.includes(name)) continue;
    const expected = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
    throw new CaptionError("invalid_request", `unknown query parameter ${quote(name)}: expected ${expected}`);
  }
  const beam = readWhole(query, { name: "beam", min: 1, max: maxBeam }) ?? defaultBeam;
  const candidates = readWhole(query, { name: "candidates", min: 1, max: maxCandidates }) ?? defaultCandidates;
  if (candidates > beam) {
    throw new CaptionError(
      "invalid_request",
      `expected candidates to be at most beam, received candidates=${candidates} and beam=${beam}`,
    );
  }
  const maxWords = readWhole(query, { name: "maxWords", min: leastMaxWords, max: mostMaxWords });
  return {
    beam,
    candidates,
    ...(maxWords === undefined ? {} : { maxWords }),
    ...(readChoice(query, "style", captionStyles) === "sentence" ? { style: "sentence" } : {}),
    ...(readSwitch(query, "neutral") ? { neutral: true } : {}),
    ...(readSwitch(query, "keywords") ? { keywords: true } : {}),
  };
}

function readWhole(
  query: URLSearchParams,
  field: { name: CaptionParameter; min: number; max: number },
): number | undefined {
  const [value, second] = query.getAll(field.name);
  if (value === undefined) return undefined;
  if (second === undefined && /^\d{1,3}$/.test(value)) {
    const number = Number(value);
    if (number >= field.min && number <= field.max) return number;
  }
  const received = second === undefined ? quote(value) : "it more than once";
  throw new CaptionError(
    "invalid_request",
    `expected ${field.name} to be one whole number from ${field.min} to ${field.max}, received ${received}`,
  );
}

function readChoice<Choice extends string>(
  query: URLSearchParams,
  name: CaptionParameter,
  choices: readonly Choice[],
): Choice | undefined {
  const [value, second] = query.getAll(name);
  const found = choices.find((choice) => choice === value);
  if (second === undefined && (value === undefined || found !== undefined)) return found;
  const received = second === undefined ? quote(value ?? "") : "it more than once";
  throw new CaptionError("invalid_request", `expected ${name} to be ${choices.join(" or ")}, received ${received}`);
}

function readSwitch(query: URLSearchParams, name: CaptionParameter): boolean {
  return readChoice(query, name, ["true", "false"]) === "true";
}

/** Writes the query of a look-up's URL with every option spelt out that is not a newer one's default, so that one result has one URL. */
export function captionQuery({ beam, candidates, maxWords, style, neutral, keywords }: CaptionOptions): string {
  const newer = Object.entries({ maxWords, style, neutral, keywords });
  const given = newer.flatMap(([name, value]) => (value === undefined ? [] : [`&${name}=${value}`]));
  return `beam=${beam}&candidates=${candidates}${given.join("")}`;
}

/**
 * Returns the search whose result is stored for a request: the options of a caption's form change nothing in it. With
 * `maxWords` it has all candidates, of which an answer takes as many as were asked for, so that a photo has fewer results.
 */
export function searchOf({ beam, candidates, maxWords }: SearchOptions): SearchOptions {
  return maxWords === undefined ? { beam, candidates } : { beam, candidates: Math.min(beam, maxCandidates), maxWords };
}

const allBeams = wholeNumbers(1, maxBeam);

/** Every search whose result may be stored, those without a limit first. */
export const allSearches: readonly SearchOptions[] = [
  ...allBeams.flatMap((beam) =>
    wholeNumbers(1, Math.min(beam, maxCandidates)).map((candidates) => ({ beam, candidates })),
  ),
  ...allBeams.flatMap((beam) =>
    wholeNumbers(leastMaxWords, mostMaxWords).map((maxWords) => searchOf({ beam, candidates: 1, maxWords })),
  ),
];

function wholeNumbers(least: number, most: number): number[] {
  return Array.from({ length: most - least + 1 }, (_, index) => least + index);
}

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
