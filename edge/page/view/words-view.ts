import { html, type TemplateResult } from "lit-html";
import type { Candidate } from "../../../shared/contract.ts";
import { gapBetween } from "../../../shared/join-words.ts";
import { asPercent } from "../format.ts";

/** A caption with each word's probability as the bar below it. The numbers stand in `wordList`, for those who cannot see bars. */
export function captionWithBars({ words }: Candidate): TemplateResult {
  const shown = words.filter(({ end }) => end !== true);
  // Set as a property, since the page's content security policy forbids style attributes.
  return html`${shown.map(
    ({ word, probability }, index) =>
      html`${gapBetween(shown[index - 1]?.word, word)}<span class="word" data-percent=${asPercent(probability)} .style=${`--share: ${probability}`}>${word}</span>`,
  )}`;
}

/** Every word of a caption with its probability, its end included. */
export function wordList({ words }: Candidate): TemplateResult {
  return html`<ol class="word-list">
    ${words.map(
      ({ word, probability, end }) => html`<li>
        <span class="word-name">${end === true ? html`<em>end of the caption</em>` : word}</span>
        <span class="bar" aria-hidden="true" .style=${`--share: ${probability}`}></span>
        <span class="number">${asPercent(probability)}</span>
      </li>`,
    )}
  </ol>`;
}
