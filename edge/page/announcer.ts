/** Long enough to gather a batch's messages, short enough for them to be news. */
const gatherMs = 600;

const toastMs = 2_500;

/** Announces to screen readers what happens, through a live region. Messages that come together are read together, so that none is cut off. */
export class Announcer {
  readonly #region: HTMLElement;
  readonly #toast: HTMLElement;
  #gathered: string[] = [];
  #toastTimer: ReturnType<typeof setTimeout> | undefined;

  constructor({ region, toast }: { region: HTMLElement; toast: HTMLElement }) {
    this.#region = region;
    this.#toast = toast;
  }

  /** Shows everybody for a while what the page itself does not show. The toast is a live region too. */
  show(sentence: string, { forMs = toastMs }: { forMs?: number } = {}): void {
    if (this.#toast.textContent !== sentence) this.#toast.textContent = sentence; // read once, however many photos it is about
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => this.#toast.replaceChildren(), forMs);
  }

  /** Announces to screen readers what others see happen. */
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
