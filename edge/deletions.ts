import type { PhotoId } from "../shared/contract.ts";
import type { ByteId, PhotoIds } from "../shared/photo-id.ts";
import type { CaptionCache } from "./caption-cache.ts";
import type { CaptionFlight } from "./caption-flight.ts";
import { flightName } from "./join-flight.ts";
import { describeError, log } from "./log.ts";

/** Methods of a `PhotoTombstone`. */
export interface Tombstone extends Rpc.DurableObjectBranded {
  place(secondLook?: SecondLook): Promise<void>;
  isPlacedSince(ms: number): Promise<boolean>;
}

/** A file whose content KV did not know: another data centre may have stored its caption a moment before the deletion. */
export interface SecondLook {
  id: ByteId;
  revision: string;
}

/** State of a photo's captions; `unknown` when the tombstones cannot be reached. */
export type Fate = "kept" | "deleted" | "unknown";

/** Deletions, as photos' tombstones remember them. */
export class Deletions {
  readonly #namespace: DurableObjectNamespace<Tombstone>;

  constructor(namespace: DurableObjectNamespace<Tombstone>) {
    this.#namespace = namespace;
  }

  /** Remembers a deletion under each of a photo's ids. Returns whether that succeeded. */
  async remember(ids: readonly PhotoId[], secondLook?: SecondLook): Promise<boolean> {
    try {
      await Promise.all([...new Set(ids)].map((id) => this.#namespace.getByName(id).place(secondLook)));
      return true;
    } catch (error) {
      log("warn", "a deletion could not be remembered", { error: describeError(error) });
      return false;
    }
  }

  /** Returns what has become of a photo's captions since a request began. */
  async fateOf({ id, contentId }: PhotoIds, { sinceMs }: { sinceMs: number }): Promise<Fate> {
    const ids = contentId === undefined ? [id] : [id, contentId];
    try {
      const answers = await Promise.all(ids.map((one) => this.#namespace.getByName(one).isPlacedSince(sinceMs)));
      return answers.includes(true) ? "deleted" : "kept";
    } catch (error) {
      log("warn", "deletions could not be asked for", { error: describeError(error) });
      return "unknown";
    }
  }
}

interface ErasureParts {
  cache: CaptionCache;
  deletions: Deletions;
  flights: DurableObjectNamespace<CaptionFlight>;
}

interface Erasure {
  /** Ids under which the deletion is remembered. */
  ids: readonly PhotoId[];
  /** Files whose entries, which lead to the captions, are deleted too. */
  files: readonly PhotoId[];
  /** Id under which the captions are stored. */
  photoId: PhotoId;
  revision: string;
  secondLook?: SecondLook | undefined;
}

/**
 * Deletes a revision's captions of a photo, for all options, from KV, this data centre's cache and the flights' memory.
 * Remembers the deletion first, so that no request that began before it stores anything. Returns whether all of it succeeded.
 */
export async function eraseCaptions(
  { cache, deletions, flights }: ErasureParts,
  { ids, files, photoId, revision, secondLook }: Erasure,
): Promise<boolean> {
  const areRemembered = await Promise.all([
    deletions.remember(ids, secondLook),
    forgetFlights(flights, flightName({ photoId, revision })),
  ]);
  const areOutOfKv = await cache.remove({ photoId, revision, files });
  return areOutOfKv && !areRemembered.includes(false);
}

async function forgetFlights(flights: DurableObjectNamespace<CaptionFlight>, name: string): Promise<boolean> {
  try {
    await flights.getByName(name).forget();
    return true;
  } catch (error) {
    log("warn", "flights could not be told to forget", { error: describeError(error) });
    return false;
  }
}
