import { CaptionError } from "../../shared/errors.ts";
import type { Announcer } from "./announcer.ts";
import type { KeyField } from "./key-field.ts";

interface ConnectionListeners {
  announcer: Announcer;
  onChange: () => void;
}

/** Shows `notice` while the browser is offline. */
export function showConnection(notice: HTMLElement, { announcer, onChange }: ConnectionListeners): void {
  const show = () => {
    notice.hidden = navigator.onLine;
    onChange();
  };
  addEventListener("offline", () => {
    show();
    announcer.say("You are offline. Photos that you add wait here.");
  });
  addEventListener("online", () => {
    show();
    announcer.say("You are online again.");
  });
  show();
}

/** Shows the name of the model in service, and the key's field if the deployment requires a key. Says so when the service is down. */
export async function showModel(element: HTMLElement, key: KeyField): Promise<void> {
  try {
    const { id, revision, vocabularySize } = await key.client.modelCard();
    element.textContent = `${id}, revision ${revision}: ${vocabularySize.toLocaleString("en")} words`;
  } catch (error) {
    const isUnauthorized = error instanceof CaptionError && error.code === "unauthorized";
    if (isUnauthorized) key.require();
    element.textContent = isUnauthorized
      ? "this deployment requires an API key."
      : "the captioning service does not answer; known photos can still be looked up.";
  }
}
