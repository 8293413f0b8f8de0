/** `sha256:` and the hex SHA-256 of a photo's bytes. */
export type ByteId = `sha256:${string}`;

export async function byteIdOf(bytes: Uint8Array<ArrayBuffer>): Promise<ByteId> {
  return byteIdFromHash(await crypto.subtle.digest("SHA-256", bytes));
}

/** The byte id of a photo whose SHA-256 is at hand. */
export function byteIdFromHash(hash: ArrayBuffer | Uint8Array): ByteId {
  return `sha256:${toHex(hash)}`;
}

export function toHex(bytes: ArrayBuffer | Uint8Array): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
