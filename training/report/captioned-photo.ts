import * as z from "zod";

/** A line of what `evaluate` writes to `captions.jsonl`. Beams that the report does not show are passed over. */
export const captionedPhotoSchema = z.object({
  id: z.string(),
  /** Relative to the data. */
  file: z.string(),
  /** Name of the data set, if there are several. */
  dataset: z.string().optional(),
  greedy: z.string(),
  "beam 3": z.string(),
  /** Confidence by search; earlier versions of `evaluate` did not write it. */
  confidence: z.record(z.string(), z.number()).optional(),
  /** Captions as people wrote them. */
  references: z.array(z.string()),
});

type CaptionedPhoto = z.infer<typeof captionedPhotoSchema>;

/** The searches whose captions are shown, the service's default last. */
export const shownSearches = ["greedy", "beam 3"] as const;

export type ShownSearch = (typeof shownSearches)[number];

/** A photo with the scores of its captions, as fractions. */
export interface RatedPhoto extends CaptionedPhoto {
  cider: Record<ShownSearch, number>;
  /** ROUGE-L of beam 3. */
  rougeL: number;
}
