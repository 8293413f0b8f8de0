/** The start of a photo's field for who wrote its description, where this program did. The rest names the model and ends with the description's digest. */
export const ourWriter = "edge-caption ";

/** Texts that cameras put where a description belongs, and that nobody wrote. */
const cameraTexts =
  /^(OLYMPUS|MINOLTA|KONICA MINOLTA|SAMSUNG|PENTAX|KODAK)? ?DIGITAL (STILL )?CAMERA$|^SONY DSC$|^Exif_JPEG_PICTURE$|^DCIM\\|^default$|^ASCII$/i;

/** Whether a description is a camera's. */
export function isCameraText(text: string): boolean {
  return cameraTexts.test(text);
}

/** Names the model that wrote a description. `hash` is the hexadecimal SHA-256 of its text: once someone has changed the words, they are theirs. */
export function describeWriter({ id, revision }: { id: string; revision: string }, hash: string): string {
  return `${ourWriter}${id} ${revision} ${shortDigest(hash)}`;
}

/** Returns as much of a text's hash as tells texts apart. */
export function shortDigest(hash: string): string {
  return hash.slice(0, 8);
}
