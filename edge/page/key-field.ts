import { CaptionClient } from "../../shared/client.ts";

const storageKey = "api-key";

interface KeyFieldParts {
  label: HTMLElement;
  input: HTMLInputElement;
  /** The part of the label that says that a key is required. */
  requirement: HTMLElement;
  /** A button that shows the field to those who have a key anyway. */
  offer: HTMLButtonElement;
}

/** The field for an API key, shown if the deployment requires one or a visitor wants it, and a client that uses the key in it. */
export class KeyField {
  readonly #parts: KeyFieldParts;

  constructor(parts: KeyFieldParts) {
    this.#parts = parts;
    const { input, offer } = parts;
    offer.addEventListener("click", () => {
      this.#show();
      input.focus();
    });
    input.value = readKey();
    if (this.isFilled) this.#show();
  }

  get isFilled(): boolean {
    return this.#key !== "";
  }

  get client(): CaptionClient {
    return new CaptionClient({ origin: location.origin, apiKey: this.isFilled ? this.#key : undefined });
  }

  /** Shows the field and says that this deployment requires a key. */
  require(): void {
    this.#parts.requirement.hidden = false;
    this.#show();
  }

  onChange(listener: () => void): void {
    this.#parts.input.addEventListener("change", () => {
      storeKey(this.#key);
      listener();
    });
  }

  get #key(): string {
    return this.#parts.input.value.trim();
  }

  #show(): void {
    this.#parts.label.hidden = false;
    this.#parts.offer.hidden = true;
  }
}

/** Reads the key, which is stored until the tab is closed. */
function readKey(): string {
  try {
    return sessionStorage.getItem(storageKey) ?? "";
  } catch {
    return ""; // storage is forbidden
  }
}

function storeKey(key: string): void {
  try {
    sessionStorage.setItem(storageKey, key);
  } catch {
    // storage is forbidden: the key lasts as long as the page
  }
}
