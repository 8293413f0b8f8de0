import type { Stats } from "node:fs";
import { dirname, relative } from "node:path";
import { AppendFile } from "../../files/append-file.ts";
import { lockFile } from "../../files/lock-file.ts";
import { type CaptionResult, captionResultSchema } from "../../shared/contract.ts";
import type { ByteId, PhotoIds } from "../../shared/photo-id.ts";
import {
  type CaptionMaker,
  type KnownObject,
  type PhotoIdentity,
  photoKeyOf,
  StateIndex,
  type StateLine,
} from "./state-index.ts";
import { openStateKey, type StateKey } from "./state-key.ts";

interface Parts {
  file: AppendFile;
  index: StateIndex;
  unlock: () => Promise<void>;
  key: StateKey | undefined;
}

/**
 * A file that only grows and remembers what was captioned. Photos are kept under their content id, or under their byte id
 * where they have none, so that neither a move nor a caption written into the file makes a photo new.
 */
export class StateFile {
  readonly #folder: string;
  readonly #file: AppendFile;
  readonly #index: StateIndex;
  readonly #unlock: () => Promise<void>;
  readonly #key: StateKey | undefined;

  private constructor(parts: Parts) {
    this.#folder = dirname(parts.file.path);
    this.#file = parts.file;
    this.#index = parts.index;
    this.#unlock = parts.unlock;
    this.#key = parts.key;
  }

  /**
   * Opens a state, or creates one. Throws a sentence where another run has locked it, where the file is something else, and,
   * unless `trusts` is given, where it came from elsewhere.
   */
  static async open(path: string, { trusts = false }: { trusts?: boolean } = {}): Promise<StateFile> {
    const unlock = await lockFile(path);
    try {
      const key = await openStateKey({ makes: true });
      const index = await StateIndex.read(path, { key, trusts });
      const file = await AppendFile.open(path, { size: index.end, followsLinks: false });
      const state = new StateFile({ file, index, unlock, key });
      if (index.newTrust !== undefined && key !== undefined) await state.#append(index.newTrust);
      return state;
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  /** Reads a photo's last result if this model and search made it. */
  async find(photo: PhotoIdentity, maker: CaptionMaker): Promise<CaptionResult | undefined> {
    const place = this.#index.by(maker, photoKeyOf(photo));
    return place && this.#read(place);
  }

  /** Reads a photo's last result by any model and search. */
  async last(photo: PhotoIdentity): Promise<CaptionResult | undefined> {
    const place = this.#index.last(photoKeyOf(photo));
    return place && this.#read(place);
  }

  correctionOf(photo: PhotoIdentity): string | undefined {
    return this.#index.correctionOf(photoKeyOf(photo));
  }

  /** Whether this was ever the photo's caption here. */
  hasSaid(photo: PhotoIdentity, caption: string): boolean {
    return this.#index.hasSaid(photoKeyOf(photo), caption);
  }

  /** Whether the photo's last caption was written in this form. */
  hasFormed(photo: PhotoIdentity, caption: string): boolean {
    return this.#index.hasFormed(photoKeyOf(photo), caption);
  }

  /** Returns the ids of a file that has not been touched since they were computed. */
  idsOf(file: string, stats: Stats): PhotoIds | undefined {
    return this.#index.idsOf(relative(this.#folder, file), stats);
  }

  /** Returns what was at an address when it was read last. */
  objectAt(address: string): KnownObject | undefined {
    return this.#index.objectAt(address);
  }

  /** Whether a photo has a caption by this model and search. */
  has(photo: PhotoIdentity, maker: CaptionMaker): boolean {
    return this.#index.by(maker, photoKeyOf(photo)) !== undefined;
  }

  async remember(result: CaptionResult): Promise<void> {
    await this.#append({ kind: "captioned", result });
  }

  async rememberFile(file: string, { stats, ids }: { stats: Stats; ids: PhotoIds }): Promise<void> {
    const { size, mtimeMs, ctimeMs } = stats;
    const path = relative(this.#folder, file);
    await this.#append({ kind: "file", path, stamp: { size, mtimeMs, ctimeMs }, ...ids });
  }

  async rememberObject(address: string, { version, bytes, ids }: KnownObject): Promise<void> {
    await this.#append({ kind: "object", address, version, bytes, ...ids });
  }

  /** Remembers a form of the last caption, so that it is not taken for a person's words. */
  async rememberForm(photo: PhotoIdentity, caption: string): Promise<void> {
    if (this.hasFormed(photo, caption)) return;
    await this.#append({ kind: "formed", key: photoKeyOf(photo), caption });
  }

  async correct(photo: PhotoIdentity, caption: string): Promise<void> {
    if (this.correctionOf(photo) === caption) return;
    await this.#append({ kind: "corrected", key: photoKeyOf(photo), caption });
  }

  /** Copies what is known of a photo without a content id to the byte id that a caption in the file will give it. */
  async carryOver(photo: PhotoIdentity, id: ByteId): Promise<void> {
    const result = await this.last(photo);
    if (result !== undefined) await this.#append({ kind: "captioned", as: id, result });
    for (const form of this.#index.formsOf(photoKeyOf(photo))) await this.rememberForm({ id }, form);
    const correction = this.correctionOf(photo);
    if (correction !== undefined) await this.correct({ id }, correction);
  }

  async close(): Promise<void> {
    await this.#file.close().finally(this.#unlock);
  }

  async #read(place: { offset: number; length: number }): Promise<CaptionResult> {
    return captionResultSchema.parse(JSON.parse(await this.#file.read(place)).result);
  }

  async #append(line: StateLine): Promise<void> {
    const json = JSON.stringify(line);
    const text = `${this.#key?.mark(json) ?? json}\n`;
    const offset = await this.#file.append(text);
    this.#index.add(line, { offset, end: offset + Buffer.byteLength(text) });
  }
}
