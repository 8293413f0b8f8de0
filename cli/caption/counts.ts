/** How many photos came to which end. */
export class PhotoCounts {
  captioned = 0;
  /** The same photo as another one of the run. */
  copies = 0;
  /** Captioned by an earlier run; this one wrote the caption beside them or into them. */
  written = 0;
  /** Captioned by an earlier run, with nothing left to write; of a table's rows, those that nobody changed. */
  skipped = 0;
  /** Their captions were taken away. */
  cleared = 0;
  failed = 0;
  /** Below --min-confidence, and left out. */
  unsure = 0;
  /** Beyond --limit. */
  left = 0;
  /** HEIC photos that an endpoint refuses, beside the same photo as JPEG. */
  paired = 0;

  /** Of all those, where the words of a person stay. */
  kept = 0;
  /** Of all those, HEIC and JPEG of one photo, whose sidecar has the caption of the other one. */
  shared = 0;

  /** What is told beside the progress bar, like `12 skipped, 1 failed`. */
  describeOddities(): string {
    return listOf([
      [this.skipped, "skipped"],
      [this.failed, "failed"],
    ]);
  }

  /** The run in one line: ends that add up to the photos, then what is to be told of some of them. */
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
      [this.kept, "kept what a person wrote"],
      [this.shared, "shared the sidecar of the same photo in another format"],
    ]);
    return [ends || "no photo found", ...(remarks === "" ? [] : [remarks])].join("; ");
  }
}

function listOf(counts: readonly [number, string][]): string {
  return counts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(", ");
}
