import * as z from "zod";

/** The least and the largest number that a layer's values are held between. */
const rangeSchema = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, "expected the least number before the largest");

export type Range = z.infer<typeof rangeSchema>;

/** By convolution, a number for each of its channels. */
const divisorsSchema = z.record(z.string(), z.array(z.number().positive()));

export type Divisors = z.infer<typeof divisorsSchema>;

/** Counts up when other layers than before need a range. */
export const rangesFormat = 2;

/** `encoder/ranges.json` of a bundle: what `calibrate` measured for computing the encoder in eight bits. */
export const encoderRangesSchema = z.strictObject({
  formatVersion: z.literal(
    rangesFormat,
    `expected ranges of format ${rangesFormat}: measure them with npm run train -- calibrate`,
  ),
  /** Names the encoder whose layers these are: `captioner/encoder-revision.ts`. */
  encoder: z.string().regex(/^[0-9a-f]{12}$/),
  /** Training photos that they were measured on. */
  photos: z.int().positive(),
  /** By layer, of its values as they stand divided. */
  ranges: z.record(z.string(), rangeSchema),
  /** What channels are divided by, so that one range fits them all; whoever reads them multiplies it back. */
  divisors: divisorsSchema.optional(),
  /** What rounding takes from each feature on average, which is added again. */
  shift: z.array(z.number()).optional(),
});

export type EncoderRanges = z.infer<typeof encoderRangesSchema>;
