import { CaptionError } from "../errors.ts";

/** A header that takes more reads than this is an attack: the longest honest ones, TIFF directories, take a few hundred. */
const usualMaxReads = 100_000;

/** Width and height in pixels as stored, before the EXIF orientation (1 to 8, 1 when there is none). */
export interface ImageSize {
  width: number;
  height: number;
  orientation: number;
}

/** A file taken apart into its pixels and the metadata about them. */
export interface FileContent {
  /** The file without metadata, in pieces in order. */
  kept: Uint8Array[];
  /** TIFF structures of EXIF blocks. Decoders disagree which of several counts. */
  exif: Uint8Array[];
}

/**
 * Reads fields out of a file's bytes. A field beyond the end is `invalid_image`, and so is a header of more than `maxReads`
 * fields: no file can make a reader throw anything else or keep it busy. Only a reader that visits each byte once may do
 * without that limit.
 */
export class HeaderBytes {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #name: string;
  readonly #maxReads: number;
  #readsLeft: number;

  /** `name` is what an error calls the file, like `JPEG`. */
  constructor(bytes: Uint8Array, name: string, { maxReads = usualMaxReads } = {}) {
    this.#bytes = bytes;
    this.#name = name;
    this.#maxReads = maxReads;
    this.#readsLeft = maxReads;
    this.length = bytes.length;
  }

  /** An unsigned integer of `size` bytes, big-endian by default; above 2^53 it is only approximate. */
  uint(offset: number, size: number, { littleEndian = false } = {}): number {
    this.#expectWithin(offset, size);
    return this.peek(offset, size, { littleEndian });
  }

  /** The same without a check: it counts as no read, and bytes beyond the end are zeros. */
  peek(offset: number, size: number, { littleEndian = false } = {}): number {
    let value = 0;
    for (let index = 0; index < size; index++) {
      const at = offset + (littleEndian ? size - 1 - index : index);
      value = value * 256 + (this.#bytes[at] ?? 0);
    }
    return value;
  }

  /** Bytes as Latin-1 text, for the short names of chunks, boxes and blocks. */
  text(offset: number, length: number): string {
    this.#expectWithin(offset, length);
    return String.fromCharCode(...this.#bytes.subarray(offset, offset + length));
  }

  /** The bytes from `start` to `end`, or to the end of the file where that comes first. */
  slice(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  /** Offset of the next `byte` at or after `offset`; the end of the file where there is none. */
  find(byte: number, offset: number): number {
    const index = this.#bytes.indexOf(byte, offset);
    return index < 0 ? this.length : index;
  }

  /** Counts reads that were not made, against the same limit. */
  spend(reads: number): void {
    this.#readsLeft -= reads;
    if (this.#readsLeft < 0) {
      throw this.unexpected({ expected: `a header of at most ${this.#maxReads} fields`, received: "a longer one" });
    }
  }

  /** The error for a file that ends before its header does. */
  cutShort(): CaptionError {
    return new CaptionError(
      "invalid_image",
      `expected a complete ${this.#name} header, received a file cut short: it ends after ${this.length} bytes`,
    );
  }

  /** The error for a header with a value that no valid file of this format has. */
  unexpected({ expected, received }: { expected: string; received: string }): CaptionError {
    return new CaptionError("invalid_image", `expected ${expected} in this ${this.#name} file, received ${received}`);
  }

  /** The error for a valid file in a form that is not decoded; both arguments describe a form, like `of 8 bits`. */
  unsupported({ expected, received }: { expected: string; received: string }): CaptionError {
    const article = /^[AEIO]/.test(this.#name) ? "an" : "a";
    return new CaptionError(
      "unsupported_media_type",
      `expected ${article} ${this.#name} image ${expected}, received one ${received}`,
    );
  }

  #expectWithin(offset: number, size: number): void {
    if (offset + size > this.length) throw this.cutShort();
    this.spend(1);
  }
}
