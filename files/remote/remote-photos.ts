import type { SourceHosts } from "../../shared/source-address.ts";
import type { FoundPhoto, PassedOver } from "../find/search-result.ts";
import { isCalledPhoto } from "../find/walk-folder.ts";
import { nameAddress, nameObject, type RemotePhoto, readAddress } from "./address.ts";
import { KeyFilter } from "./key-filter.ts";
import { ObjectStore } from "./object-store.ts";
import type { RemoteRead, RemoteReading } from "./read-body.ts";
import { readWithRetries, UnfitObject } from "./unfit-object.ts";
import { readWebPhoto } from "./web-photo.ts";

interface RemoteSettings {
  /** Most bytes of a photo. */
  maxBytes: number;
  /** Hosts from which photos are read by `https:` addresses. */
  hosts: SourceHosts;
}

/** Finds and reads the photos behind addresses. */
export class RemotePhotos {
  readonly maxBytes: number;
  readonly #hosts: SourceHosts;
  #store: Promise<ObjectStore> | undefined;

  constructor({ maxBytes, hosts }: RemoteSettings) {
    this.maxBytes = maxBytes;
    this.#hosts = hosts;
  }

  /**
   * Finds the photos behind an address, by key. One that was typed may also be a folder without its slash; of a list's
   * thousands, each would take a request to find out.
   */
  async *find(place: string, { isListed, passedOver }: Finding): AsyncGenerator<FoundPhoto> {
    const address = readAddress(place, { hosts: this.#hosts });
    const path = nameAddress(place);
    if (address.kind === "refused" && !isListed) return yield { path, error: address.error };
    try {
      if (address.kind === "prefix") yield* this.#list(address, passedOver);
      else if (address.kind === "object" && !isListed && !isCalledPhoto(address.key))
        yield* this.#list({ ...address, prefix: `${address.key}/`, isGuess: true }, passedOver);
      else yield { path, remote: address };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      yield { path, error: error.message };
    }
  }

  /** Reads a photo. Throws an `UnfitObject`, or an error that ends the run. */
  async read(photo: RemotePhoto, { unless }: Pick<RemoteReading, "unless"> = {}): Promise<RemoteRead> {
    const { maxBytes } = this;
    if (photo.kind === "refused") throw new UnfitObject(photo.error);
    if (photo.kind === "web") return readWithRetries(() => readWebPhoto(photo.url, { maxBytes, unless }));
    const store = await this.#openStore();
    return readWithRetries(() => store.read(photo, { maxBytes, unless }));
  }

  async *#list({ bucket, prefix, isGuess }: Listing, passedOver: PassedOver): AsyncGenerator<FoundPhoto> {
    const store = await this.#openStore();
    const filter = new KeyFilter(prefix, passedOver);
    let isEmpty = true;
    for await (const { key, ...listed } of store.list({ bucket, prefix })) {
      isEmpty = false;
      const path = nameObject({ bucket, key });
      if (filter.isPhoto(key)) yield { path, remote: { kind: "object", bucket, key, listed } };
    }
    if (!isEmpty || prefix === "") return;
    throw new UnfitObject(
      isGuess
        ? "there is nothing below it; name an object without a photo's extension in a list"
        : "there is no object whose key begins with it",
    );
  }

  #openStore(): Promise<ObjectStore> {
    this.#store ??= ObjectStore.open();
    return this.#store;
  }
}

interface Finding {
  /** Whether it is in a list, and was not typed. */
  isListed: boolean;
  passedOver: PassedOver;
}

interface Listing {
  bucket: string;
  prefix: string;
  /** Whether the prefix is a guess: the address may have meant an object. */
  isGuess?: boolean;
}
