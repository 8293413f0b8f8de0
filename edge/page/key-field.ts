import { CaptionClient } from "../../shared/client.ts";

const storageKey = "api-key";

/** The field for an API key, shown if the deployment requires one, and a client that uses the key in it. */
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
      storeKey(this.#input.value.trim());
      listener();
    });
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
