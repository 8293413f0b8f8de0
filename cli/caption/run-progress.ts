import { type Progress, say, showProgress } from "../../terminal/progress.ts";
import { PhotoCounts } from "./counts.ts";
import type { EndedPhoto } from "./run-captions.ts";

/** What is told of a run's photos. */
interface RunWords {
  /** Like captioning. */
  doing: string;
  captioned: string;
  skipped?: string;
}

/** Tells on standard error how a run goes. */
export class RunProgress {
  readonly #progress: Progress | undefined;
  #counts = new PhotoCounts();

  readonly #words: RunWords;

  /** `total` photos; without `isShown` only what fails is told. */
  constructor({ total, isShown, words }: { total: number; isShown: boolean; words: RunWords }) {
    const { doing } = words;
    const more = () => this.#counts.describeOddities();
    this.#words = words;
    this.#progress = isShown ? showProgress(doing, { total, unit: "photos", more }) : undefined;
  }

  readonly tell = (ended: EndedPhoto, counts: PhotoCounts): void => {
    this.#counts = counts;
    if (ended.kind === "failed") say(`${ended.path}: ${ended.error}`);
    if (ended.hasTakenWork) this.#progress?.advance();
    else this.#progress?.skip();
  };

  /** Call it once, however the run ended. */
  end(): void {
    this.#progress?.end();
    if (this.#progress !== undefined) say(this.#counts.describe(this.#words));
  }
}
