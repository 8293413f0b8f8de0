import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { toDiskPath } from "../../files/disk-path.ts";
import type { FileReplacer } from "../../files/file-replacer.ts";
import { photoReader } from "../../files/read-photo-file.ts";
import type { RemotePhoto, Version } from "../../files/remote/address.ts";
import type { RemotePhotos } from "../../files/remote/remote-photos.ts";
import type { PhotoIds } from "../../shared/photo-id.ts";
import type { StateFile } from "../state/state-file.ts";
import type { CaptionMaker } from "../state/state-index.ts";

/** A photo in hand, on a disk or at an address. */
export interface PhotoSource {
  /** Absolute path, or the address. */
  readonly file: string;
  /** Most bytes that it takes. */
  readonly mostBytes: number;
  readonly isRemote: boolean;
  /** Returns the ids that it had, if it is the same since; of a photo at an address only if it has its caption, too. */
  knownIds(): Promise<PhotoIds | undefined>;
  /** Reads it, once. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
  /** Its size, once its ids are known or it was read. */
  bytes(): number;
  /** Remembers ids that were not known. */
  remember(ids: PhotoIds): Promise<void>;
}

interface Sources {
  /** The folder that relative paths start from. */
  folder: string;
  state: StateFile | undefined;
  /** Writes photos while others are read. */
  files: Pick<FileReplacer, "tidy" | "readWhole"> | undefined;
  remote: RemotePhotos | undefined;
  maker: CaptionMaker;
}

/** Opens a photo that was found, without reading it. */
export async function openSource(
  { path, remote: place }: { path: string; remote?: RemotePhoto },
  sources: Sources,
): Promise<PhotoSource> {
  if (place !== undefined && sources.remote !== undefined) {
    return new RemoteSource({ path, place, remote: sources.remote }, sources);
  }
  const file = resolve(sources.folder, path);
  await sources.files?.tidy(dirname(file));
  return openFile(file, await stat(toDiskPath(file)), sources);
}

function openFile(file: string, stats: Stats, { state, files }: Sources): PhotoSource {
  return {
    file,
    mostBytes: stats.size,
    isRemote: false,
    knownIds: async () => state?.idsOf(file, stats),
    read: photoReader(file, files),
    bytes: () => stats.size,
    remember: async (ids) => state?.rememberFile(file, { stats, ids }),
  };
}

interface Place {
  /** The address without secrets. */
  path: string;
  place: RemotePhoto;
  remote: RemotePhotos;
}

/** A photo at an address. It is read when its ids are asked for, unless its version says that they are known. */
class RemoteSource implements PhotoSource {
  readonly file: string;
  readonly isRemote = true;
  readonly mostBytes: number;
  readonly #place: RemotePhoto;
  readonly #remote: RemotePhotos;
  readonly #sources: Pick<Sources, "state" | "maker">;
  #reading: Promise<Uint8Array<ArrayBuffer>> | undefined;
  #version: Version = {};
  #bytes = 0;

  constructor({ path, place, remote }: Place, sources: Sources) {
    this.file = path;
    this.#place = place;
    this.#remote = remote;
    this.#sources = sources;
    const listed = place.kind === "object" ? place.listed : undefined;
    this.mostBytes = Math.min(listed?.bytes ?? remote.maxBytes, remote.maxBytes);
  }

  async knownIds(): Promise<PhotoIds | undefined> {
    const { state, maker } = this.#sources;
    const known = state?.objectAt(this.file);
    if (known === undefined || !state?.has(known.ids, maker)) return undefined;
    if (!(await this.#isStill(known.version))) return undefined;
    this.#bytes = known.bytes;
    return known.ids;
  }

  read(): Promise<Uint8Array<ArrayBuffer>> {
    this.#reading ??= this.#readAnew();
    return this.#reading;
  }

  bytes(): number {
    return this.#bytes;
  }

  async remember(ids: PhotoIds): Promise<void> {
    const { etag, lastModified } = this.#version;
    if (etag === undefined && lastModified === undefined) return; // nothing would say whether it has changed
    await this.#sources.state?.rememberObject(this.file, { version: this.#version, bytes: this.#bytes, ids });
  }

  /** Compares with what the listing said, or asks for the photo if it has another version, and keeps it in hand then. */
  async #isStill(known: Version): Promise<boolean> {
    const listed = this.#place.kind === "object" ? this.#place.listed?.etag : undefined;
    if (listed !== undefined) return listed === known.etag;
    const found = await this.#remote.read(this.#place, { unless: known });
    if (found === "unchanged") return true;
    this.#reading = Promise.resolve(this.#keep(found));
    return false;
  }

  async #readAnew(): Promise<Uint8Array<ArrayBuffer>> {
    const found = await this.#remote.read(this.#place);
    if (found === "unchanged") throw new Error(`${this.file}: expected a photo, received an answer without one`);
    return this.#keep(found);
  }

  #keep({ bytes, version }: { bytes: Uint8Array<ArrayBuffer>; version: Version }): Uint8Array<ArrayBuffer> {
    this.#version = version;
    this.#bytes = bytes.length;
    return bytes;
  }
}
