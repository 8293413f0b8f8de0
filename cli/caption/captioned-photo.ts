import type { CaptionResult } from "../../shared/contract.ts";
import type { ImageFormat } from "../../shared/image-header.ts";

/** A caption for a photo, as it is written beside the photo or into it. */
export interface CaptionToWrite {
  /** Of the photo, as it was found. */
  path: string;
  /** Where the photo lies, absolute. */
  file: string;
  photo: PhotoName;
  format: ImageFormat;
  /** The model's best, or what a person corrected it to. */
  caption: string;
  /** Whose it is; undefined: a person's. */
  model: CaptionResult["model"] | undefined;
  /** Below --min-confidence, where such captions are to be marked. */
  isUnsure: boolean;
}

/** A photo and its caption, as listings take them. */
export interface CaptionedPhoto extends CaptionToWrite {
  /** What the model said. */
  result: CaptionResult;
  /** A small picture as a `data:` URI; made for those outputs alone that show it. */
  thumbnail?: string;
}

/** A photo by its ids, as a result has them. */
export type PhotoName = Pick<CaptionResult, "id" | "contentId">;

/** What stands for a photo whatever it is called and whatever captions were written into it. */
export function photoKeyOf({ id, contentId }: PhotoName): string {
  return contentId ?? id;
}
