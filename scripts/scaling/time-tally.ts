/** How long photos took, counted in steps. */
export class TimeTally {
  readonly #stepMs: number;
  readonly #steps: number[] = [];
  #weight = 0;
  #sum = 0;

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  get mean(): number {
    return this.#sum / this.#weight;
  }

  add(ms: number, weight: number): void {
    const step = Math.floor(ms / this.#stepMs);
    this.#steps[step] = (this.#steps[step] ?? 0) + weight;
    this.#weight += weight;
    this.#sum += ms * weight;
  }

  /** The end of the step in which so large a share is reached. */
  quantile(share: number): number {
    let passed = 0;
    const step = this.#steps.findIndex((weight = 0) => {
      passed += weight;
      return passed >= share * this.#weight;
    });
    return (step + 1) * this.#stepMs;
  }
}
