import { photoContentOf } from "./photo-content.ts";

/** `sha256:` and the hex SHA-256 of a photo's bytes. */
export type ByteId = `sha256:${string}`;

/** `content:` and the hex SHA-256 of what a photo shows, which stays the same when a caption is written into its file. */
export type ContentId = `content:${string}`;

/** A photo's ids. Malformed files, and formats whose metadata we cannot separate, have no content id. */
export interface PhotoIds {
  id: ByteId;
  contentId?: ContentId;
}

/** Computes both ids of a photo, or the one that it has. */
export async function photoIdsOf(bytes: Uint8Array<ArrayBuffer>): Promise<PhotoIds> {
  const [id, contentId] = await Promise.all([byteIdOf(bytes), contentIdOf(bytes)]);
  return contentId === undefined ? { id } : { id, contentId };
}

/** Computes the id of a photo's bytes. */
export async function byteIdOf(bytes: Uint8Array<ArrayBuffer>): Promise<ByteId> {
  return byteIdFromHash(await crypto.subtle.digest("SHA-256", bytes));
}

/** Makes the byte id of a photo from its SHA-256. */
export function byteIdFromHash(hash: ArrayBuffer | Uint8Array): ByteId {
  return `sha256:${toHex(hash)}`;
}

/** Computes the id of what a photo shows; undefined if that cannot be separated from metadata. */
export async function contentIdOf(bytes: Uint8Array): Promise<ContentId | undefined> {
  const content = photoContentOf(bytes);
  return content && `content:${toHex(await crypto.subtle.digest("SHA-256", content))}`;
}

/** Writes bytes as lower-case hexadecimal digits. */
export function toHex(bytes: ArrayBuffer | Uint8Array): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
