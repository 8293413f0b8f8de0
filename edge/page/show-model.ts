import { CaptionError } from "../../shared/errors.ts";
import type { KeyField } from "./key-field.ts";

/** Names the model that captions, and asks for a key where the deployment does. The page does without, where the service is down. */
export async function showModel(element: HTMLElement, key: KeyField): Promise<void> {
  try {
    const { id, revision, vocabularySize } = await key.client.modelCard();
    element.textContent = `${id}, revision ${revision}: ${vocabularySize.toLocaleString("en")} words`;
  } catch (error) {
    const isUnauthorized = error instanceof CaptionError && error.code === "unauthorized";
    if (isUnauthorized) key.show();
    element.textContent = isUnauthorized
      ? "this deployment asks for an API key."
      : "the captioning service does not answer at present; known photos may still be looked up.";
  }
}
