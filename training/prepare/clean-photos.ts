import { type Cleaning, type DropReason, dropReasons, readCaption } from "../../shared/clean-caption.ts";
import { quote } from "../../shared/errors.ts";
import type { PreparedPhoto, Summary } from "../prepared.ts";
import type { AssignedPhoto } from "./choose-photos.ts";

/** Version of each cleaning, raised when it gives different words for the same captions: `prepare` then runs again. */
export const cleaningVersions: Record<Cleaning, number> = { tutorial: 1, natural: 2 };

interface Cleaned {
  prepared: PreparedPhoto[];
  /** Dropped words by reason, the most frequent first. */
  dropped: Summary["dropped"];
  /** Photos with a caption of which cleaning leaves nothing, with those captions. */
  wordless: string[];
}

/** Cleans the captions of photos, and counts the words that are dropped. */
export function cleanPhotos(photos: readonly AssignedPhoto[], cleaning: Cleaning): Cleaned {
  const tally = new DropTally();
  const wordless: string[] = [];
  const prepared = photos.map(({ captions: texts, ...photo }): PreparedPhoto => {
    const captions = texts.map((text) => {
      const { words, dropped } = readCaption(text, cleaning);
      tally.add(dropped);
      return { text, words };
    });
    const empty = captions.filter(({ words }) => words.length === 0);
    if (empty.length > 0) wordless.push(`${photo.file} (${empty.map(({ text }) => quote(text)).join(", ")})`);
    const { id, file, sha256, split, dataset, weight, hasPseudoCaptions } = photo;
    return {
      ...{ id, file, sha256, split },
      ...(dataset === undefined ? {} : { dataset }),
      ...(weight === undefined ? {} : { weight }),
      ...(hasPseudoCaptions === undefined ? {} : { hasPseudoCaptions }),
      captions,
    };
  });
  return { prepared, dropped: tally.summarize(), wordless };
}

/** Counts captions that lost words, and the words, by reason. */
class DropTally {
  readonly #captions = new Map<DropReason, number>();
  readonly #words = new Map<DropReason, Map<string, number>>();

  /** Adds the words that one caption lost. */
  add(dropped: ReturnType<typeof readCaption>["dropped"]): void {
    for (const reason of new Set(dropped.map((word) => word.reason))) {
      this.#captions.set(reason, (this.#captions.get(reason) ?? 0) + 1);
    }
    for (const { word, reason } of dropped) {
      const counts = this.#words.get(reason) ?? new Map<string, number>();
      this.#words.set(reason, counts.set(word, (counts.get(word) ?? 0) + 1));
    }
  }

  summarize(): Summary["dropped"] {
    return dropReasons
      .filter((reason) => this.#captions.has(reason))
      .map((reason) => {
        const counted = [...(this.#words.get(reason) ?? [])].map(([word, times]) => ({ word, times }));
        const words = counted.toSorted((one, other) => other.times - one.times); // ties keep their order of appearance
        return { reason, captions: this.#captions.get(reason) ?? 0, words };
      });
  }
}
