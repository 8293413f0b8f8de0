import { type Progress, say, showProgress } from "../../terminal/progress.ts";

/** How a photo ended. */
export type EndedPhoto = { path: string; hasTakenWork: boolean } & (
  | { kind: "captioned" | "copies" | "written" | "cleared" | "skipped" | "unsure" | "left" | "paired" }
  | { kind: "failed"; error: string }
);

/** Counts photos by how they ended. */
export class PhotoCounts {
  captioned = 0;
  /** The same photo as another one of the run. */
  copies = 0;
  /** Captioned by an earlier run; this run wrote the caption beside them or into them. */
  written = 0;
  /** Captioned by an earlier run, with nothing left to write; or rows of a table that nobody changed. */
  skipped = 0;
  /** Photos whose captions were removed. */
  cleared = 0;
  failed = 0;
  /** Those failed that were not found: paths that do not exist, folders that cannot be read. */
  notFound = 0;
  /** Left out for a confidence below --min-confidence. */
  unsure = 0;
  /** Beyond --limit. */
  left = 0;
  /** HEIC photos that an endpoint refused, each beside the same photo as JPEG. */
  paired = 0;

  /** Raw photos among those above, which were captioned by their previews. */
  raw = 0;
  /** Photos among those above where the words of a person were kept. */
  kept = 0;
  /** Photos among those above that are at an address and were not read again, because they have not changed. */
  unread = 0;
  /** Photos among those above that exist as HEIC and as JPEG, whose sidecar has the caption of the other one. */
  shared = 0;

  /** Describes what stands beside the progress bar, like `12 skipped, 1 failed`. */
  describeOddities(): string {
    return listOf([
      [this.skipped, "skipped"],
      [this.failed, "failed"],
    ]);
  }

  /** Describes the run in one line: counts that add up to the photos, then remarks on some of them. */
  describe({ captioned, skipped = "had their caption already" }: { captioned: string; skipped?: string }): string {
    const ends = listOf([
      [this.captioned, captioned],
      [this.copies, this.copies === 1 ? "copy of another photo" : "copies of other photos"],
      [this.written, "captioned earlier and written now"],
      [this.cleared, "cleared"],
      [this.skipped, skipped],
      [this.unsure, "left out for their confidence"],
      [this.paired, "HEIC left to the JPEG beside it"],
      [this.left, "left for the next run"],
      [this.failed, "failed"],
    ]);
    const remarks = listOf([
      [this.unread, "unchanged and not read again"],
      [this.raw, this.raw === 1 ? "is raw and known by its preview" : "are raw and known by their previews"],
      [this.kept, "kept what a person wrote"],
      [this.shared, "shared the sidecar of the same photo in another format"],
    ]);
    return [ends || "no photo found", ...(remarks === "" ? [] : [remarks])].join("; ");
  }
}

function listOf(counts: readonly [number, string][]): string {
  return counts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(", ");
}

/** Words for what a run does with its photos. */
interface RunWords {
  /** The present participle, like `captioning`. */
  doing: string;
  captioned: string;
  skipped?: string;
}

/** Reports the progress of a run on standard error. */
export class RunProgress {
  readonly #progress: Progress | undefined;
  #counts = new PhotoCounts();
  readonly #words: RunWords;

  /** Without `isShown` only failures are reported. */
  constructor({ total, isShown, words }: { total: number; isShown: boolean; words: RunWords }) {
    const { doing } = words;
    const more = () => this.#counts.describeOddities();
    this.#words = words;
    this.#progress = isShown ? showProgress(doing, { total, unit: "photos", more }) : undefined;
  }

  readonly report = (ended: EndedPhoto, counts: PhotoCounts): void => {
    this.#counts = counts;
    if (ended.kind === "failed") say(`${ended.path}: ${ended.error}`);
    if (ended.hasTakenWork) this.#progress?.advance();
    else this.#progress?.skip();
  };

  /** Reports the counts. Call it once, however the run ended. */
  end(): void {
    this.#progress?.end();
    if (this.#progress !== undefined) say(this.#counts.describe(this.#words));
  }
}
