import type { Metadata, RawTags } from "../../files/exiftool.ts";
import { markedCaption, unmarkedCaption } from "../../shared/caption-mark.ts";
import { describeWriter, isCameraText, ourWriter } from "../../shared/description-writer.ts";
import type { ImageFormat } from "../../shared/image-header.ts";
import type { StateFile } from "../state/state-file.ts";
import {
  type AltText,
  altTextField,
  altTextIn,
  altTextTags,
  digestOf,
  hashOf,
  judgeAltText,
  ownAltTextField,
} from "./alt-text.ts";
import { type FileKeywords, keywordsIn, keywordTags, ownKeywordsField, subjectField } from "./keyword-tags.ts";
import type { CaptionToWrite } from "./output.ts";

/** The XMP and IPTC fields that hold a photo's description, and the XMP field for who wrote it. */
const xmpField = "XMP-dc:Description";
const iptcField = "IPTC:Caption-Abstract";
const writerField = "XMP-photoshop:CaptionWriter";
/** The digest beside the IPTC block: where it does not match, programs take the XMP for outdated. */
const digestField = "Photoshop:IPTCDigest";
/** The extension that says which of several photos of one name a sidecar is about, as Adobe's programs write it. */
const sidecarField = "XMP-photoshop:SidecarForExtension";
/** EXIF's own field is written only where it is there already, so that programs that read it first show the same. */
const exifField = "IFD0:ImageDescription";

/** IPTC's limit for a description. */
const maxIptcBytes = 2000;

/** The description that a file has. */
export interface Description {
  /** Texts that a person or this program wrote. */
  texts: string[];
  writer: string | undefined;
  hasExif: boolean;
  /** Whether EXIF's text is a camera's. */
  isExifCameras: boolean;
  hasIptc: boolean;
  hasDigest: boolean;
  /** The extension of the photo that a sidecar is about, where it says so. */
  extension: string | undefined;
  altText: AltText;
  keywords: FileKeywords;
}

/** Which fields a caption is written to. Keywords have a list of their own in the caption. */
export const altTextChoices = ["beside", "only"] as const;

export type AltTextChoice = (typeof altTextChoices)[number];

/** Reads the description of a photo or of a sidecar. */
export async function readDescription(metadata: Metadata, file: string): Promise<Description> {
  const tags = await metadata.read(file, [
    `${xmpField}*`,
    "IPTC:All",
    exifField,
    writerField,
    digestField,
    sidecarField,
    `${altTextField}*`,
    ownAltTextField,
    subjectField,
    ownKeywordsField,
  ]);
  const isText = (key: string) => key.startsWith(xmpField) || key === iptcField || key === exifField; // XMP's in any language
  const texts = Object.entries(tags).flatMap(([key, value]) => (isText(key) ? [String(value).trim()] : []));
  return {
    texts: texts.filter((text) => text !== "" && !isCameraText(text)),
    writer: writerField in tags ? String(tags[writerField]) : undefined,
    hasExif: exifField in tags,
    isExifCameras: isCameraText(String(tags[exifField]).trim()),
    hasIptc: Object.keys(tags).some((key) => key.startsWith("IPTC:")),
    hasDigest: digestField in tags,
    extension: sidecarField in tags ? String(tags[sidecarField]) : undefined,
    altText: altTextIn(tags),
    keywords: keywordsIn(tags),
  };
}

export interface Judgement {
  state: Pick<StateFile, "hasSaid">;
  /** Whether to replace also what a person wrote. */
  overwrite: boolean;
  /** Whether alternative text is written, beside the description or instead of it. */
  altText: AltTextChoice | undefined;
}

/**
 * Decides whether a caption may replace a description: not one that a person wrote, and not the same again. An empty caption
 * removes ours, and never what a person wrote.
 */
function judgeDescription(
  { texts, writer }: Pick<Description, "texts" | "writer">,
  caption: CaptionToWrite,
  { state, overwrite, altText }: Judgement,
): "write" | "same" | "kept" {
  if (altText === "only") return "same";
  const wanted = markedCaption(caption);
  const isCleared = wanted === "";
  if (isCleared && texts.length === 0) return "same";
  if (texts.length > 0 && texts.every((text) => text === wanted)) return "same";
  const isOurs = (text: string) =>
    (writer?.startsWith(ourWriter) && writer.endsWith(` ${digestOf(text)}`)) ||
    state.hasSaid(caption.photo, unmarkedCaption(text));
  return (overwrite && !isCleared) || texts.every(isOurs) ? "write" : "kept";
}

/** What may be written of a caption into one file: the tags, and whether some words stay that a person wrote. */
export interface CaptionTags {
  tags: RawTags;
  isKept: boolean;
}

/**
 * Chooses the tags of a caption for a photo or, without a format, for a sidecar: description, alternative text and keywords,
 * each where it is wanted, has changed and replaces nothing that a person wrote.
 */
export function captionTags(
  there: Description,
  caption: CaptionToWrite,
  { format, ...judgement }: Judgement & { format?: ImageFormat },
): CaptionTags {
  const description = judgeDescription(there, caption, judgement);
  const isAltTextMeant = judgement.altText !== undefined || (caption.caption === "" && there.altText.own !== undefined);
  const altText = isAltTextMeant ? judgeAltText(there.altText, caption, judgement) : "same";
  const isWriterFree = there.texts.length === 0 && (there.writer === undefined || there.writer.startsWith(ourWriter));
  const hasIptc = format !== undefined && (there.hasIptc || isIptcUsual(format));
  const keywords = keywordTags(there.keywords, { ...caption, overwrite: judgement.overwrite, hasIptc });
  const own = {
    ...(description !== "write" ? {} : format === undefined ? xmpTags(caption, there) : photoTags(caption, there)),
    ...(altText === "write" ? altTextTags(caption, there.altText) : {}),
    ...(altText === "write" && judgement.altText === "only" && isWriterFree ? writerTag(caption, there) : {}),
    ...keywords,
  };
  const touchesIptc = Object.keys(own).some((key) => key.startsWith("IPTC:"));
  const tags = { ...own, ...(touchesIptc && format !== undefined ? iptcTags(format, there) : {}) };
  return { tags, isKept: description === "kept" || altText === "kept" };
}

/** Returns the XMP tags of a caption as the description, for photos and for sidecars. */
function xmpTags(caption: CaptionToWrite, there: Description): RawTags {
  return { [xmpField]: markedCaption(caption) || null, ...writerTag(caption, there) };
}

/** Returns the tag that names the model that wrote a caption, if one did. */
function writerTag(caption: CaptionToWrite, there: Description): RawTags {
  const { model } = caption;
  const text = markedCaption(caption);
  if (model !== undefined && text !== "") {
    return { [writerField]: describeWriter(model, hashOf(text)) };
  }
  return there.writer?.startsWith(ourWriter) ? { [writerField]: null } : {};
}

/** Returns the tags of a caption inside a photo: XMP, and IPTC and EXIF where they belong. */
function photoTags(caption: CaptionToWrite, there: Description): RawTags {
  const text = markedCaption(caption);
  if (text === "") {
    return {
      ...xmpTags(caption, there),
      ...(there.hasIptc ? { [iptcField]: null } : {}),
      ...(there.hasExif && !there.isExifCameras ? { "EXIF:ImageDescription": null } : {}),
    };
  }
  return {
    ...xmpTags(caption, there),
    ...(isIptcUsual(caption.format) || there.hasIptc ? { [iptcField]: cutToBytes(text, maxIptcBytes) } : {}),
    ...(there.hasExif ? { "EXIF:ImageDescription": text } : {}),
  };
}

function isIptcUsual(format: ImageFormat): boolean {
  return format === "jpeg" || format === "tiff";
}

/** Returns what belongs to any change of IPTC. IPTC that is there already is not recoded. */
function iptcTags(format: ImageFormat, there: Description): RawTags {
  return {
    ...(isIptcUsual(format) && !there.hasIptc ? { "IPTC:CodedCharacterSet": "UTF8" } : {}),
    ...(there.hasDigest ? { [digestField]: "new" } : {}), // makes ExifTool compute it from the IPTC that it writes
  };
}

/** Whether a sidecar holds only what `captionTags` writes, which it has judged to be ours. */
export async function holdsNothingElse(
  metadata: Metadata,
  sidecar: string,
  { altText }: Pick<Judgement, "altText">,
): Promise<boolean> {
  const tags = await metadata.read(sidecar, ["XMP:All"]);
  const { subject, own } = keywordsIn(tags);
  const ours = [writerField, "XMP-x:XMPToolkit", ownAltTextField, ownKeywordsField];
  if (subject.every((keyword) => own.includes(keyword))) ours.push(subjectField);
  const fields = [...(altText === "only" ? [] : [xmpField]), ...(ownAltTextField in tags ? [altTextField] : [])];
  const isOurs = (key: string) => ours.includes(key) || fields.some((field) => key.startsWith(field));
  return Object.keys(tags).every((key) => !key.startsWith("XMP-") || isOurs(key));
}

/** Cuts a text to a number of bytes, without leaving half a character. */
function cutToBytes(text: string, maxBytes: number): string {
  return Buffer.byteLength(text) <= maxBytes
    ? text
    : new TextDecoder().decode(Buffer.from(text).subarray(0, maxBytes)).replace(/\uFFFD$/, "");
}

/** A file's description where there is none yet. */
export const noDescription: Description = {
  texts: [],
  writer: undefined,
  hasExif: false,
  isExifCameras: false,
  hasIptc: false,
  hasDigest: false,
  extension: undefined,
  altText: { texts: [], own: undefined },
  keywords: { subject: [], iptc: [], own: [] },
};

/** Returns the tags of a new sidecar's description that a person wrote into the photo, which the sidecar would hide. */
export function carriedTags({ texts, writer, keywords }: Description, wanted: RawTags): RawTags {
  const { subject, own } = keywords;
  const persons = subject.filter((keyword) => !own.includes(keyword));
  const ours = [wanted[subjectField] ?? []].flat().map(String);
  return {
    ...(xmpField in wanted || texts[0] === undefined || writer?.startsWith(ourWriter) ? {} : { [xmpField]: texts[0] }),
    ...(persons.length === 0 ? {} : { [subjectField]: [...persons, ...ours] }),
  };
}
