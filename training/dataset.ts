export const splits = ["train", "dev", "test"] as const;

export type Split = (typeof splits)[number];

/** A photo as the data name it. */
export interface CaptionedPhoto {
  id: string;
  /** Path of the photo, relative to the dataset's folder. */
  file: string;
  /** Where it is listed: one split as a rule, none where it is not used, several by mistake. */
  splits: readonly Split[];
  /** As they were written, at least one. */
  captions: readonly string[];
  /** The data set that it comes from, where there are several. */
  dataset?: string;
  /** What its captions count beside those of others; 1 where it is left out. */
  weight?: number;
  /** Its captions are pseudo-captions: nobody wrote them for it, they are sentences that were chosen for it. */
  hasPseudoCaptions?: true;
  /** Its data set has no splits: a tenth of that is set aside. */
  needsSplit?: true;
}

/** Captioned photos, in the order of their captions. */
export interface Dataset {
  folder: string;
  /** SHA-256 of each file that was read, by its name. */
  sources: Record<string, string>;
  photos: readonly CaptionedPhoto[];
  /** Whether all of the data say what is for training. */
  hasSplits: boolean;
  findings: Pick<Findings, "duplicated" | "withoutCaptions">;
}

/** What is odd about the data, by kind: names of photos, with a word of explanation where it takes one. */
export interface Findings {
  missing: string[];
  unusable: string[];
  duplicated: string[];
  inTwoSplits: string[];
  withoutCaptions: string[];
  inNoSplit: string[];
  /** With a caption that cleaning leaves no word of. */
  wordless: string[];
}
