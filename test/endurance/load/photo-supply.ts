import { createHash } from "node:crypto";
import { type ByteId, byteIdFromHash } from "../../../shared/photo-id.ts";
import { madePhotos } from "../../fixtures/made-images.ts";

const serialBytes = 8;

export interface SentPhoto {
  bytes: Uint8Array<ArrayBuffer>;
  id: ByteId;
}

/**
 * Supplies photos without end, no two the same to the edge: made ones in turn, each with a number after its last pixel,
 * which decoders ignore. They are as much work for the model as any.
 */
export class PhotoSupply {
  readonly #photos: readonly Uint8Array<ArrayBuffer>[];
  #given = 0;

  private constructor(photos: readonly Uint8Array<ArrayBuffer>[]) {
    this.#photos = photos;
  }

  /** Makes a supply of so many photos that differ in their pixels, 500×375 as in the benches. */
  static async of(count: number): Promise<PhotoSupply> {
    return new PhotoSupply(await madePhotos(count));
  }

  next(): SentPhoto {
    const photo = this.#photos[this.#given % this.#photos.length] ?? new Uint8Array();
    const bytes = new Uint8Array(photo.length + serialBytes);
    bytes.set(photo);
    new DataView(bytes.buffer).setBigUint64(photo.length, BigInt(this.#given));
    this.#given += 1;
    return { bytes, id: byteIdFromHash(createHash("sha256").update(bytes).digest()) };
  }
}
