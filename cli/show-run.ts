import type { EndedPhoto } from "./caption-run.ts";
import { type Progress, say, showProgress } from "./progress.ts";
import { Tally } from "./tally.ts";

/** Tells on standard error how a run goes. */
export class ShownRun {
  readonly #progress: Progress | undefined;
  #tally = new Tally();

  readonly #done: string;

  /** `total` photos, of which it is told how many are being `doing`, like captioning; without `isShown` only what fails is told. */
  constructor({ total, isShown, doing, done }: { total: number; isShown: boolean; doing: string; done: string }) {
    const more = () => this.#tally.describeOddities();
    this.#done = done;
    this.#progress = isShown ? showProgress(doing, { total, unit: "photos", more }) : undefined;
  }

  readonly tell = (ended: EndedPhoto, tally: Tally): void => {
    this.#tally = tally;
    if (ended.kind === "failed") say(`${ended.path}: ${ended.error}`);
    if (ended.kind === "captioned") this.#progress?.advance();
    else this.#progress?.skip();
  };

  /** Call it once, however the run ended. */
  end(): void {
    this.#progress?.end();
    if (this.#progress !== undefined) say(this.#tally.describe({ captioned: this.#done }));
  }
}
