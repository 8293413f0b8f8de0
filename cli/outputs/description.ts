import { createHash } from "node:crypto";
import type { Metadata, RawTags } from "../../files/exiftool.ts";
import { markedCaption, unmarkedCaption } from "../../shared/caption-mark.ts";
import type { StateFile } from "../state/state-file.ts";
import type { CaptionToWrite } from "./output.ts";

/** The XMP and IPTC fields that hold a photo's description, and the XMP field for who wrote it. */
const xmpField = "XMP-dc:Description";
const iptcField = "IPTC:Caption-Abstract";
const writerField = "XMP-photoshop:CaptionWriter";
/** Of the IPTC block, beside it: where it does not fit, programs take the XMP for outdated. */
const digestField = "Photoshop:IPTCDigest";
/** Which of the photos of one name a sidecar is about, as Adobe's programs write it: an extension. */
const sidecarField = "XMP-photoshop:SidecarForExtension";
/** What the writer begins with where it is us; the rest names the model and ends with the caption's digest. */
const ourMark = "edge-caption ";
/** EXIF's own is written only where it holds something already, so that programs that read it first say the same. */
const exifField = "IFD0:ImageDescription";

/** What cameras put where a description belongs; nobody wrote it. */
const cameraTexts =
  /^(OLYMPUS|MINOLTA|KONICA MINOLTA|SAMSUNG|PENTAX|KODAK)? ?DIGITAL (STILL )?CAMERA$|^SONY DSC$|^Exif_JPEG_PICTURE$|^DCIM\\|^default$|^ASCII$/i;

/** IPTC's limit for a description. */
const maxIptcBytes = 2000;

/** What stands in a file where a description belongs. */
export interface Description {
  /** By somebody, a person or us. */
  texts: string[];
  writer: string | undefined;
  hasExif: boolean;
  /** EXIF's own is a camera's. */
  isExifCameras: boolean;
  hasIptc: boolean;
  hasDigest: boolean;
  /** Of a sidecar: the extension of the photo that it is about, where it says so. */
  extension: string | undefined;
}

/** The description of a photo or of a sidecar. */
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
  overwrite: boolean;
}

/**
 * Whether a caption may be written where a description stands: not over what a person wrote, and not again. An empty caption
 * takes ours away, and what a person wrote never.
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

/** The tags of a caption in XMP, for photos and for sidecars. They say that a model wrote it, and which; what a person wrote is theirs. */
export function xmpTags(caption: CaptionToWrite, there: Description | undefined): RawTags {
  const { model } = caption;
  const text = markedCaption(caption) || null;
  if (model !== undefined && text !== null) {
    return { [xmpField]: text, [writerField]: `${ourMark}${model.id} ${model.revision} ${digestOf(text)}` };
  }
  return { [xmpField]: text, ...(there?.writer?.startsWith(ourMark) ? { [writerField]: null } : {}) };
}

/** Those besides, in a photo itself. */
export function photoTags(caption: CaptionToWrite, there: Description): RawTags {
  const text = markedCaption(caption);
  const digest = there.hasDigest ? { [digestField]: "new" } : {}; // ExifTool's word for what fits the IPTC as it is written
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
    ...(isIptcUsual && !there.hasIptc ? { "IPTC:CodedCharacterSet": "UTF8" } : {}), // what stands there already is not recoded
    ...digest,
    ...(there.hasExif ? { "EXIF:ImageDescription": text } : {}),
  };
}

/** Whether a sidecar holds nothing but what `xmpTags` writes. */
export async function holdsNothingElse(metadata: Metadata, sidecar: string): Promise<boolean> {
  const tags = await metadata.read(sidecar, ["XMP:All"]);
  const isOurs = (key: string) => key.startsWith(xmpField) || key === writerField || key === "XMP-x:XMPToolkit";
  return Object.keys(tags).every((key) => !key.startsWith("XMP-") || isOurs(key));
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** The most of a text that fits, without half a character. */
function cutToBytes(text: string, maxBytes: number): string {
  return Buffer.byteLength(text) <= maxBytes
    ? text
    : new TextDecoder().decode(Buffer.from(text).subarray(0, maxBytes)).replace(/\uFFFD$/, "");
}
