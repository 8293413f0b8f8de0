import { CaptionClient } from "../../shared/client.ts";

const storageKey = "api-key";

/** The field for an API key, shown where the deployment asks for one, and the client that has the key in it. */
export class KeyField {
  readonly #label: HTMLElement;
  readonly #input: HTMLInputElement;

  constructor(label: HTMLElement, input: HTMLInputElement) {
    this.#label = label;
    this.#input = input;
    input.value = readKey();
    if (input.value !== "") this.show();
  }

  get client(): CaptionClient {
    const key = this.#input.value.trim();
    return new CaptionClient({ origin: location.origin, apiKey: key === "" ? undefined : key });
  }

  show(): void {
    this.#label.hidden = false;
  }

  onChange(listener: () => void): void {
    this.#input.addEventListener("change", () => {
      keepKey(this.#input.value.trim());
      listener();
    });
  }
}

/** Kept until the tab is closed, and no longer. */
function readKey(): string {
  try {
    return sessionStorage.getItem(storageKey) ?? "";
  } catch {
    return ""; // storage is forbidden
  }
}

function keepKey(key: string): void {
  try {
    sessionStorage.setItem(storageKey, key);
  } catch {
    // storage is forbidden: the key lasts as long as the page
  }
}
