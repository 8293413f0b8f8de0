import type { CaptionedPhoto, CaptionToWrite } from "../caption/captioned-photo.ts";

/** Gathers all photos in one place, in their order. */
export interface Listing {
  add(photo: CaptionedPhoto): Promise<void>;
  /** A photo that has no caption, in its place of the order. */
  miss?(failed: { path: string; error: string }): void;
  /** Behind the last photo. `isComplete` is false where the run was interrupted before it. */
  end(run: { isComplete: boolean }): Promise<void>;
}

/**
 * What has become of a caption: written, there already, left out since somebody else's words stand there, or left to the
 * same photo in another format, whose sidecar has the same name.
 */
export type Written = "written" | "same" | "kept" | "shared";

/** Writes a caption beside its photo or into it. */
export interface PhotoWriter {
  write(caption: CaptionToWrite): Promise<Written>;
}
