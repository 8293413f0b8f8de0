import * as z from "zod";
import { cleanings } from "./clean-caption.ts";
import { confidenceMapSchema } from "./confidence-map.ts";

/** A path inside the bundle: relative, forward slashes, no step upwards. */
const bundlePathSchema = z.string().regex(/^(?!.*\.\.)[\w][\w./-]*$/, "expected a relative path inside the bundle");

const fileSchema = z.strictObject({
  path: bundlePathSchema,
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Corpus scores as the COCO caption scorer gives them, times 100. */
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

/** By sharp's name. */
const kernelSchema = z.enum(["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3"]);

/** How a photo becomes the encoder's input. Data, so that training and serving prepare pixels by the same rule. */
export const preprocessingSchema = z.strictObject({
  width: sideSchema,
  height: sideSchema,
  /** The photo is squashed to width × height, its aspect ratio given up. */
  fit: z.literal("fill"),
  kernel: kernelSchema,
  /** The form of the photos that the encoder learnt from. A photo larger than that is brought to it first. */
  through: z
    .strictObject({
      width: sideSchema,
      height: sideSchema,
      kernel: kernelSchema,
      /** Encoded as JPEG of this quality (chroma at half the size), since that changes pixels, too. */
      jpegQuality: z.int().min(1).max(100).optional(),
    })
    .optional(),
  /** The encoder sees value / divisor + offset, for values 0 to 255 in the order red, green, blue. */
  divisor: z.number().min(1e-3).max(1e6),
  offset: z.number().min(-1e6).max(1e6),
});

export type Preprocessing = z.infer<typeof preprocessingSchema>;

/** What it costs to say a word once more in a caption, in nats, so that a caption does not tell the same thing twice. */
const repetitionSchema = z.strictObject({
  penalty: z.number().positive().max(100),
  /** Ids of words that people often say more than once in a caption: articles, prepositions. */
  except: z.array(z.int().nonnegative()),
});

export type Repetition = z.infer<typeof repetitionSchema>;

/** `manifest.json` of a model bundle. Its SHA-256 names the bundle's revision, so everything that changes a caption stands here. */
export const manifestSchema = z.strictObject({
  formatVersion: z.literal(1),
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  description: z.string(),
  encoder: z.strictObject({
    topology: bundlePathSchema,
    featureSize: z.int().positive(),
    /** Of its layers (`shared/ranges.ts`); without them it is computed in float32 alone. */
    ranges: bundlePathSchema.optional(),
  }),
  decoder: z.strictObject({ topology: bundlePathSchema }),
  vocabulary: z.strictObject({ path: bundlePathSchema, size: z.int().min(3) }),
  /** Features of photos and the model's own captions of them, by which training holds what it knows; not for captioning. */
  rehearsal: z.strictObject({ features: bundlePathSchema, captions: bundlePathSchema }).optional(),
  preprocessing: preprocessingSchema,
  specialIds: z.strictObject({ padding: z.literal(0), start: z.int().positive(), end: z.int().positive() }),
  cleaning: z.enum(cleanings),
  /** Words of the longest training caption, start and end included. */
  maxCaptionLength: z.int().positive(),
  /** Of the confidence of a beam search's best caption; without it, confidence is what the model believes. */
  calibration: confidenceMapSchema.optional(),
  search: z.strictObject({
    lengthPenalty: z.number().min(0).max(10),
    maxWords: z.int().positive().max(1000),
    repetition: repetitionSchema.optional(),
  }),
  /** Every file of the bundle except this one and the model card. */
  files: z
    .array(fileSchema)
    .min(1)
    .refine((files) => new Set(files.map(({ path }) => path)).size === files.length, "expected each file once"),
  scores: z.array(scoreSchema),
  provenance: z.array(z.string()).min(1),
  licence: z.string(),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** `manifest.json` of an encoder alone, which training makes a model bundle of: what the encoder needs of the fields above. */
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

/** Every manifest is one of an encoder, too. */
export type EncoderManifest = z.infer<typeof encoderManifestSchema>;
