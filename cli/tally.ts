/** How many photos came to which end. */
export class Tally {
  captioned = 0;
  /** Captioned by an earlier run, or the same photo twice. */
  skipped = 0;
  failed = 0;
  /** Below --min-confidence, and left out. */
  unsure = 0;
  /** Where the words of a person stay. */
  kept = 0;
  /** Beyond --limit. */
  left = 0;

  /** What is told beside the progress bar, like `12 skipped, 1 failed`. */
  describeOddities(): string {
    return listOf([
      [this.skipped, "skipped"],
      [this.failed, "failed"],
    ]);
  }

  /** The run in one line. */
  describe({ captioned }: { captioned: string }): string {
    const ends = listOf([
      [this.captioned, captioned],
      [this.skipped, "had their caption already"],
      [this.unsure, "left out for their confidence"],
      [this.kept, "kept what a person wrote"],
      [this.left, "left for the next run"],
      [this.failed, "failed"],
    ]);
    return ends || "no photo found";
  }
}

function listOf(counts: readonly [number, string][]): string {
  return counts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(", ");
}
