/** Long enough to gather what a batch tells, short enough to be news. */
const gatherMs = 600;

const toastMs = 2_500;

/** Tells screen readers what happens, through a live region: what comes together is told together, so that nothing is cut off. */
export class Announcer {
  readonly #region: HTMLElement;
  readonly #toast: HTMLElement;
  #gathered: string[] = [];
  #toastTimer: ReturnType<typeof setTimeout> | undefined;

  constructor({ region, toast }: { region: HTMLElement; toast: HTMLElement }) {
    this.#region = region;
    this.#toast = toast;
  }

  /** Tells everybody, for a while: what the page itself does not show. The toast is a live region too. */
  show(sentence: string, { forMs = toastMs }: { forMs?: number } = {}): void {
    if (this.#toast.textContent !== sentence) this.#toast.textContent = sentence; // said once, however many say it
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => this.#toast.replaceChildren(), forMs);
  }

  /** Tells screen readers what others see happen. */
  say(sentence: string): void {
    this.#gathered.push(sentence);
    if (this.#gathered.length === 1) setTimeout(() => this.#speak(), gatherMs);
  }

  #speak(): void {
    const sentences = this.#gathered.map((sentence) => {
      const paragraph = document.createElement("p");
      paragraph.textContent = sentence;
      return paragraph;
    });
    this.#gathered = [];
    this.#region.replaceChildren(...sentences);
  }
}
