/** The captions that were typed, by photo id, kept in this browser: neither a reload nor a newer gallery loses them. */
export class Corrections {
  readonly #key = `edge-caption ${location.pathname}`;
  readonly #captions: Map<string, string>;

  constructor() {
    this.#captions = new Map(Object.entries(readStored(this.#key)));
  }

  of(id: string): string | undefined {
    return this.#captions.get(id);
  }

  /** Keeps a caption, or forgets the photo's if it is undefined. */
  set(id: string, caption: string | undefined): void {
    if (caption === undefined) this.#captions.delete(id);
    else this.#captions.set(id, caption);
    try {
      localStorage.setItem(this.#key, JSON.stringify(Object.fromEntries(this.#captions)));
    } catch {
      // private windows have no room: the download still works
    }
  }
}

function readStored(key: string): Record<string, string> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    const entries = Object.entries(typeof stored === "object" && stored !== null ? stored : {});
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return {};
  }
}
