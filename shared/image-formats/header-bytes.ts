import { CaptionError } from "../errors.ts";

/** Default limit of reads per header. The longest honest ones, TIFF directories, take a few hundred; more are an attack. */
const defaultMaxReads = 100_000;

/** An image's size in pixels as stored, and the EXIF orientation that applies to it (1 to 8, 1 if there is none). */
export interface ImageSize {
  width: number;
  height: number;
  orientation: number;
}

/** A file separated into its content and its metadata. */
export interface FileContent {
  /** The file without metadata, in pieces in order. */
  kept: Uint8Array[];
  /** TIFF structures of EXIF blocks. Decoders disagree on which of several counts. */
  exif: Uint8Array[];
}

/**
 * A reader of fields in a file's bytes. It throws `invalid_image` for a field beyond the end and for more than `maxReads`
 * fields, so no file can make a format's reader throw anything else or run for long. Only a reader that visits each byte once
 * may do without that limit.
 */
export class HeaderBytes {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #name: string;
  readonly #maxReads: number;
  #readsLeft: number;

  /** Creates a reader of a file that errors call by `name`, such as `JPEG`. */
  constructor(bytes: Uint8Array, name: string, { maxReads = defaultMaxReads } = {}) {
    this.#bytes = bytes;
    this.#name = name;
    this.#maxReads = maxReads;
    this.#readsLeft = maxReads;
    this.length = bytes.length;
  }

  /** Reads an unsigned integer of `size` bytes, big-endian by default. Above 2^53 it is only near the true value. */
  uint(offset: number, size: number, { littleEndian = false } = {}): number {
    this.#expectWithin(offset, size);
    return this.peek(offset, size, { littleEndian });
  }

  /** Reads an unsigned integer without a check: this counts as no read, and bytes beyond the end are zeros. */
  peek(offset: number, size: number, { littleEndian = false } = {}): number {
    let value = 0;
    for (let index = 0; index < size; index++) {
      const at = offset + (littleEndian ? size - 1 - index : index);
      value = value * 256 + (this.#bytes[at] ?? 0);
    }
    return value;
  }

  /** Reads bytes as Latin-1 text, for the short names of chunks, boxes and blocks. */
  text(offset: number, length: number): string {
    this.#expectWithin(offset, length);
    return String.fromCharCode(...this.#bytes.subarray(offset, offset + length));
  }

  /** Returns the bytes from `start` to `end`, or to the end of the file if that comes first. */
  slice(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  /** Finds `byte` at or after `offset`. Returns the end of the file if it is not there. */
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

  /** Makes the error for a file that ends before its header does. */
  cutShort(): CaptionError {
    return new CaptionError(
      "invalid_image",
      `expected a complete ${this.#name} header, received a file cut short: it ends after ${this.length} bytes`,
    );
  }

  /** Makes the error for a header that is not valid in this format. */
  unexpected({ expected, received }: { expected: string; received: string }): CaptionError {
    return new CaptionError("invalid_image", `expected ${expected} in this ${this.#name} file, received ${received}`);
  }

  /** Makes the error for a valid file in a form that is not decoded. Both texts say how it is stored, like `of 8 bits`. */
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
