import { createHash } from "node:crypto";
import type { Metadata, RawTags } from "../../files/exiftool.ts";
import { markedCaption, unmarkedCaption } from "../../shared/caption-mark.ts";
import type { StateFile } from "../state/state-file.ts";
import type { CaptionToWrite } from "./output.ts";

/** The XMP and IPTC fields that hold a photo's description, and the XMP field for who wrote it. */
const xmpField = "XMP-dc:Description";
const iptcField = "IPTC:Caption-Abstract";
const writerField = "XMP-photoshop:CaptionWriter";
/** The digest beside the IPTC block: where it does not match, programs take the XMP for outdated. */
const digestField = "Photoshop:IPTCDigest";
/** The extension that says which of several photos of one name a sidecar is about, as Adobe's programs write it. */
const sidecarField = "XMP-photoshop:SidecarForExtension";
/** The start of the writer field where we wrote the caption; the rest names the model and ends with the caption's digest. */
const ourMark = "edge-caption ";
/** EXIF's own field is written only where it is there already, so that programs that read it first show the same. */
const exifField = "IFD0:ImageDescription";

/** Texts that cameras put where a description belongs, and that nobody wrote. */
const cameraTexts =
  /^(OLYMPUS|MINOLTA|KONICA MINOLTA|SAMSUNG|PENTAX|KODAK)? ?DIGITAL (STILL )?CAMERA$|^SONY DSC$|^Exif_JPEG_PICTURE$|^DCIM\\|^default$|^ASCII$/i;

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
}

/** Reads the description of a photo or of a sidecar. */
export async function readDescription(metadata: Metadata, file: string): Promise<Description> {
  const tags = await metadata.read(file, [
    `${xmpField}*`,
    "IPTC:All",
    exifField,
    writerField,
    digestField,
    sidecarField,
  ]);
  const isText = (key: string) => key.startsWith(xmpField) || key === iptcField || key === exifField; // XMP's in any language
  const texts = Object.entries(tags).flatMap(([key, value]) => (isText(key) ? [String(value).trim()] : []));
  return {
    texts: texts.filter((text) => text !== "" && !cameraTexts.test(text)),
    writer: writerField in tags ? String(tags[writerField]) : undefined,
    hasExif: exifField in tags,
    isExifCameras: cameraTexts.test(String(tags[exifField]).trim()),
    hasIptc: Object.keys(tags).some((key) => key.startsWith("IPTC:")),
    hasDigest: digestField in tags,
    extension: sidecarField in tags ? String(tags[sidecarField]) : undefined,
  };
}

interface Judgement {
  state: Pick<StateFile, "hasSaid">;
  /** Whether to replace also what a person wrote. */
  overwrite: boolean;
}

/**
 * Decides whether a caption may replace a description: not one that a person wrote, and not the same again. An empty caption
 * removes ours, and never what a person wrote.
 */
export function judgeDescription(
  { texts, writer }: Description,
  caption: CaptionToWrite,
  { state, overwrite }: Judgement,
): "write" | "same" | "kept" {
  const wanted = markedCaption(caption);
  const isCleared = wanted === "";
  if (isCleared && texts.length === 0) return "same";
  if (texts.length > 0 && texts.every((text) => text === wanted)) return "same";
  const isOurs = (text: string) =>
    (writer?.startsWith(ourMark) && writer.endsWith(` ${digestOf(text)}`)) ||
    state.hasSaid(caption.photo, unmarkedCaption(text));
  return (overwrite && !isCleared) || texts.every(isOurs) ? "write" : "kept";
}

/** Returns the XMP tags of a caption, for photos and for sidecars. They name the model that wrote it, if one did. */
export function xmpTags(caption: CaptionToWrite, there: Description | undefined): RawTags {
  const { model } = caption;
  const text = markedCaption(caption) || null;
  if (model !== undefined && text !== null) {
    return { [xmpField]: text, [writerField]: `${ourMark}${model.id} ${model.revision} ${digestOf(text)}` };
  }
  return { [xmpField]: text, ...(there?.writer?.startsWith(ourMark) ? { [writerField]: null } : {}) };
}

/** Returns the tags of a caption inside a photo: XMP, and IPTC and EXIF where they belong. */
export function photoTags(caption: CaptionToWrite, there: Description): RawTags {
  const text = markedCaption(caption);
  const digest = there.hasDigest ? { [digestField]: "new" } : {}; // makes ExifTool compute it from the IPTC that it writes
  if (text === "") {
    return {
      ...xmpTags(caption, there),
      ...digest,
      ...(there.hasIptc ? { [iptcField]: null } : {}),
      ...(there.hasExif && !there.isExifCameras ? { "EXIF:ImageDescription": null } : {}),
    };
  }
  const isIptcUsual = ["jpeg", "tiff"].includes(caption.format);
  return {
    ...xmpTags(caption, there),
    ...(isIptcUsual || there.hasIptc ? { [iptcField]: cutToBytes(text, maxIptcBytes) } : {}),
    ...(isIptcUsual && !there.hasIptc ? { "IPTC:CodedCharacterSet": "UTF8" } : {}), // IPTC that is there already is not recoded
    ...digest,
    ...(there.hasExif ? { "EXIF:ImageDescription": text } : {}),
  };
}

/** Whether a sidecar holds only what `xmpTags` writes. */
export async function holdsNothingElse(metadata: Metadata, sidecar: string): Promise<boolean> {
  const tags = await metadata.read(sidecar, ["XMP:All"]);
  const isOurs = (key: string) => key.startsWith(xmpField) || key === writerField || key === "XMP-x:XMPToolkit";
  return Object.keys(tags).every((key) => !key.startsWith("XMP-") || isOurs(key));
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** Cuts a text to a number of bytes, without leaving half a character. */
function cutToBytes(text: string, maxBytes: number): string {
  return Buffer.byteLength(text) <= maxBytes
    ? text
    : new TextDecoder().decode(Buffer.from(text).subarray(0, maxBytes)).replace(/\uFFFD$/, "");
}
