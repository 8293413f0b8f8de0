import type { CaptionClient } from "../../shared/client.ts";

/** Names the model that captions. The page does without, where the service is down. */
export async function showModel(element: HTMLElement, client: CaptionClient): Promise<void> {
  try {
    const { id, revision, vocabularySize } = await client.modelCard();
    element.textContent = `${id}, revision ${revision}: ${vocabularySize.toLocaleString("en")} words`;
  } catch {
    element.textContent = "The captioning service does not answer at present; known photos may still be looked up.";
  }
}
