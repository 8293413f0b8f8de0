import type { PhotoId } from "../shared/contract.ts";
import type { ByteId, PhotoIds } from "../shared/photo-id.ts";
import { describeError, log } from "./log.ts";

/** The methods of a `PhotoTombstone`. */
export interface Tombstone extends Rpc.DurableObjectBranded {
  place(secondLook?: SecondLook): Promise<void>;
  isPlacedSince(ms: number): Promise<boolean>;
}

/** For a file of which KV did not know what it shows: its caption may have been stored elsewhere a moment before. */
export interface SecondLook {
  id: ByteId;
  revision: string;
}

/** What became of a photo's captions; `unknown` where the tombstones cannot be had. */
export type Fate = "kept" | "deleted" | "unknown";

/** The deletions that photos' tombstones remember. */
export class Deletions {
  readonly #namespace: DurableObjectNamespace<Tombstone>;

  constructor(namespace: DurableObjectNamespace<Tombstone>) {
    this.#namespace = namespace;
  }

  /** Remembers a deletion by each of a photo's ids, and tells whether that could be done. */
  async remember(ids: readonly PhotoId[], secondLook?: SecondLook): Promise<boolean> {
    try {
      await Promise.all([...new Set(ids)].map((id) => this.#namespace.getByName(id).place(secondLook)));
      return true;
    } catch (error) {
      log("warn", "a deletion could not be remembered", { error: describeError(error) });
      return false;
    }
  }

  /** What has become of a photo's captions since a request began. */
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
