import { createHash } from "node:crypto";
import type { RawTags } from "../../files/exiftool.ts";
import { markedCaption, unmarkedCaption } from "../../shared/caption-mark.ts";
import { shortDigest } from "../../shared/description-writer.ts";
import type { StateFile } from "../state/state-file.ts";
import type { CaptionToWrite } from "./output.ts";

/** IPTC's field for alternative text, in any language. */
export const altTextField = "XMP-iptcCore:AltTextAccessibility";
/** Our record beside it: the model, and the digest of the text that it wrote. */
export const ownAltTextField = "XMP-edgecaption:AltText";

/** The alternative text that a file has. */
export interface AltText {
  texts: readonly string[];
  /** What this program noted of the text that it wrote. */
  own: string | undefined;
}

/** Reads a file's alternative text from its tags. */
export function altTextIn(tags: RawTags): AltText {
  const texts = Object.entries(tags).flatMap(([key, value]) =>
    key.startsWith(altTextField) ? [String(value).trim()] : [],
  );
  return {
    texts: texts.filter((text) => text !== ""),
    own: ownAltTextField in tags ? String(tags[ownAltTextField]) : undefined,
  };
}

/** Decides whether a caption may replace alternative text, as `judgeDescription` does for the description. */
export function judgeAltText(
  { texts, own }: AltText,
  caption: CaptionToWrite,
  { state, overwrite }: { state: Pick<StateFile, "hasSaid">; overwrite: boolean },
): "write" | "same" | "kept" {
  const wanted = markedCaption(caption);
  if (wanted === "" ? texts.length === 0 : texts.length > 0 && texts.every((text) => text === wanted)) return "same";
  const isOurs = (text: string) =>
    own?.endsWith(` ${digestOf(text)}`) === true || state.hasSaid(caption.photo, unmarkedCaption(text));
  return (overwrite && wanted !== "") || texts.every(isOurs) ? "write" : "kept";
}

/** Returns the tags of a caption as alternative text; an empty one removes ours. */
export function altTextTags(caption: CaptionToWrite, { own }: AltText): RawTags {
  const { model } = caption;
  const text = markedCaption(caption) || null;
  const record = model === undefined || text === null ? null : `${model.id} ${model.revision} ${digestOf(text)}`;
  return { [altTextField]: text, ...(record === null && own === undefined ? {} : { [ownAltTextField]: record }) };
}

/** Returns the digest by which a text of ours is recognized. */
export function digestOf(text: string): string {
  return shortDigest(hashOf(text));
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
