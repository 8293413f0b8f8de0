import * as z from "zod";
import { cleanings } from "./clean-caption.ts";
import { confidenceMapSchema } from "./confidence-map.ts";

/** A path inside the bundle: relative, with forward slashes and without `..`. */
const bundlePathSchema = z.string().regex(/^(?!.*\.\.)[\w][\w./-]*$/, "expected a relative path inside the bundle");

const fileSchema = z.strictObject({
  path: bundlePathSchema,
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Corpus scores of the COCO caption scorer, times 100. */
export const scoreSchema = z.strictObject({
  dataset: z.string(),
  search: z.string(),
  bleu1: z.number(),
  bleu2: z.number(),
  bleu3: z.number(),
  bleu4: z.number(),
  rougeL: z.number(),
  cider: z.number(),
});

const sideSchema = z.int().positive().max(2048);

/** Resampling kernels by sharp's names. */
const kernelSchema = z.enum(["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3"]);

/** Rules that turn a photo into the encoder's input, stored so that training and serving prepare the same pixels. */
export const preprocessingSchema = z.strictObject({
  width: sideSchema,
  height: sideSchema,
  /** The photo is resized to width × height regardless of its aspect ratio. */
  fit: z.literal("fill"),
  kernel: kernelSchema,
  /** Size and encoding of the photos that the encoder was trained on. A larger photo is first resized to it. */
  through: z
    .strictObject({
      width: sideSchema,
      height: sideSchema,
      kernel: kernelSchema,
      /** Quality of the JPEG (with chroma at half the size) as which it is then encoded, since that changes pixels too. */
      jpegQuality: z.int().min(1).max(100).optional(),
    })
    .optional(),
  /** The encoder gets value / divisor + offset, for values 0 to 255 in the order red, green, blue. */
  divisor: z.number().min(1e-3).max(1e6),
  offset: z.number().min(-1e6).max(1e6),
});

export type Preprocessing = z.infer<typeof preprocessingSchema>;

/** The cost in nats of repeating a word in a caption, so that a caption does not say the same thing twice. */
const repetitionSchema = z.strictObject({
  penalty: z.number().positive().max(100),
  /** Ids of words that people often repeat in a caption: articles, prepositions. */
  except: z.array(z.int().nonnegative()),
});

export type Repetition = z.infer<typeof repetitionSchema>;

/** `manifest.json` of a model bundle. Its SHA-256 is the bundle's revision, so everything that changes a caption is in here. */
export const manifestSchema = z.strictObject({
  formatVersion: z.literal(1),
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  description: z.string(),
  encoder: z.strictObject({
    topology: bundlePathSchema,
    featureSize: z.int().positive(),
    /** Ranges of its layers (`shared/ranges.ts`); without them it is computed in float32 only. */
    ranges: bundlePathSchema.optional(),
  }),
  decoder: z.strictObject({ topology: bundlePathSchema }),
  /**
   * Word detectors: a network from the encoder's features to a score for each word of the vocabulary, in nats, which the
   * search adds to a caption's log-probability for each of its words.
   */
  evidence: z.strictObject({ topology: bundlePathSchema }).optional(),
  vocabulary: z.strictObject({ path: bundlePathSchema, size: z.int().min(3) }),
  /** Features of photos and the model's own captions of them, with which training preserves what it knows; not for captioning. */
  rehearsal: z.strictObject({ features: bundlePathSchema, captions: bundlePathSchema }).optional(),
  preprocessing: preprocessingSchema,
  specialIds: z.strictObject({ padding: z.literal(0), start: z.int().positive(), end: z.int().positive() }),
  cleaning: z.enum(cleanings),
  /** Number of words in the longest training caption, including start and end. */
  maxCaptionLength: z.int().positive(),
  /** Confidence map of a beam search's best caption; without it, the confidence is the model's own. */
  calibration: confidenceMapSchema.optional(),
  search: z.strictObject({
    lengthPenalty: z.number().min(0).max(10),
    maxWords: z.int().positive().max(1000),
    repetition: repetitionSchema.optional(),
  }),
  /** Every file of the bundle except the manifest and the model card. */
  files: z
    .array(fileSchema)
    .min(1)
    .refine((files) => new Set(files.map(({ path }) => path)).size === files.length, "expected each file once"),
  scores: z.array(scoreSchema),
  provenance: z.array(z.string()).min(1),
  licence: z.string(),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** `manifest.json` of an encoder alone, from which training makes a model bundle: the fields above that an encoder needs. */
export const encoderManifestSchema = manifestSchema.pick({
  formatVersion: true,
  id: true,
  description: true,
  encoder: true,
  preprocessing: true,
  files: true,
  provenance: true,
  licence: true,
});

/** An encoder's manifest. Every bundle's manifest is one too. */
export type EncoderManifest = z.infer<typeof encoderManifestSchema>;
