import type { EndedPhoto } from "./caption-run.ts";
import { type Progress, say, showProgress } from "./progress.ts";
import { Tally } from "./tally.ts";

/** What is told of a run's photos. */
interface RunWords {
  /** Like captioning. */
  doing: string;
  captioned: string;
  skipped?: string;
}

/** Tells on standard error how a run goes. */
export class ShownRun {
  readonly #progress: Progress | undefined;
  #tally = new Tally();

  readonly #words: RunWords;

  /** `total` photos; without `isShown` only what fails is told. */
  constructor({ total, isShown, words }: { total: number; isShown: boolean; words: RunWords }) {
    const { doing } = words;
    const more = () => this.#tally.describeOddities();
    this.#words = words;
    this.#progress = isShown ? showProgress(doing, { total, unit: "photos", more }) : undefined;
  }

  readonly tell = (ended: EndedPhoto, tally: Tally): void => {
    this.#tally = tally;
    if (ended.kind === "failed") say(`${ended.path}: ${ended.error}`);
    if (ended.hasTakenWork) this.#progress?.advance();
    else this.#progress?.skip();
  };

  /** Call it once, however the run ended. */
  end(): void {
    this.#progress?.end();
    if (this.#progress !== undefined) say(this.#tally.describe(this.#words));
  }
}
