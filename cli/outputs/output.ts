import type { CaptionResult } from "../../shared/contract.ts";
import type { ImageFormat } from "../../shared/image-header.ts";
import type { PhotoIdentity } from "../state/state-index.ts";

/** A caption to write beside a photo or into it. */
export interface CaptionToWrite {
  /** Path of the photo as it was found. */
  path: string;
  /** Absolute path of the photo. */
  file: string;
  photo: PhotoIdentity;
  format: ImageFormat;
  /** The model's best, or a person's correction. */
  caption: string;
  /** Keywords to write; undefined: those that are there are left alone. */
  keywords: readonly string[] | undefined;
  /** The model that made it; undefined for a person's. */
  model: CaptionResult["model"] | undefined;
  /** Whether it is below --min-confidence and to be marked. */
  isUnsure: boolean;
}

/** A photo and its caption for a listing. */
export interface CaptionToList extends CaptionToWrite {
  /** The model's whole result. */
  result: CaptionResult;
  /** A small picture as a `data:` URI, made only where an output shows it. */
  thumbnail?: string;
}

/** An output that gathers all photos in one place, in their order. */
export interface Listing {
  add(photo: CaptionToList): Promise<void>;
  /** Adds a photo that has no caption. */
  miss?(failed: { path: string; error: string }): void;
  /** Call it after the last photo. `isComplete` is false where the run was interrupted before it. */
  end(run: { isComplete: boolean }): Promise<void>;
}

/**
 * What a writer did with a caption: wrote it, found it there, kept somebody else's words, or left the sidecar to the same
 * photo in another format.
 */
export type WriteOutcome = "written" | "same" | "kept" | "shared";

/** An output that writes each caption beside its photo or into it. What it kept may stand beside what it wrote. */
export interface PhotoWriter {
  write(caption: CaptionToWrite): Promise<readonly WriteOutcome[]>;
}
