import * as z from "zod";

/**
 * A monotone map from a caption's raw confidence to what it came out as on photos with references, in straight lines
 * between points. Below the first point and above the last one it stays level.
 */
export const confidenceMapSchema = z
  .array(z.strictObject({ raw: z.number().nonnegative(), calibrated: z.number().min(0).max(1) }))
  .min(1)
  .refine(
    (points) => points.every(({ raw }, index) => raw > (points[index - 1]?.raw ?? -1)),
    "expected points of rising raw confidence",
  )
  .refine(
    (points) => points.every(({ calibrated }, index) => calibrated >= (points[index - 1]?.calibrated ?? 0)),
    "expected a calibrated confidence that does not fall",
  );

export type ConfidenceMap = z.infer<typeof confidenceMapSchema>;

/** The calibrated confidence, in [0, 1]. */
export function mapConfidence(points: ConfidenceMap, raw: number): number {
  const above = points.findIndex((point) => point.raw >= raw);
  const [upper, lower] = [points[above === -1 ? points.length - 1 : above], points[above - 1]];
  if (upper === undefined) return raw;
  if (above === -1 || lower === undefined) return upper.calibrated;
  const share = (raw - lower.raw) / (upper.raw - lower.raw);
  return lower.calibrated + share * (upper.calibrated - lower.calibrated);
}
