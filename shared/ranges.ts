import * as z from "zod";

/** Bounds to which a layer's values are clipped. */
const rangeSchema = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, "expected the least number before the largest");

export type Range = z.infer<typeof rangeSchema>;

/** Divisors by convolution, one per channel. */
const divisorsSchema = z.record(z.string(), z.array(z.number().positive()));

export type Divisors = z.infer<typeof divisorsSchema>;

/** Version of the format; it increases when other layers than before need a range. */
export const rangesFormat = 2;

/** `encoder/ranges.json` of a bundle: what `npm run train -- quantize` measured for computing the encoder in int8. */
export const encoderRangesSchema = z.strictObject({
  formatVersion: z.literal(
    rangesFormat,
    `expected ranges of format ${rangesFormat}: measure them with npm run train -- quantize`,
  ),
  /** Names the encoder whose layers these are: `captioner/bundle.ts`. */
  encoder: z.string().regex(/^[0-9a-f]{12}$/),
  /** Number of training photos on which they were measured. */
  photos: z.int().positive(),
  /** Ranges by layer, of values after division. */
  ranges: z.record(z.string(), rangeSchema),
  /** Divisors that let one range fit all channels; the next layer multiplies by them again. */
  divisors: divisorsSchema.optional(),
  /** Average error of each feature from rounding, which is added back. */
  shift: z.array(z.number()).optional(),
});

export type EncoderRanges = z.infer<typeof encoderRangesSchema>;
