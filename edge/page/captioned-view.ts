import { html, nothing, type TemplateResult } from "lit-html";
import { type Candidate, captionQuery } from "../../shared/contract.ts";
import { gapBetween } from "../../shared/word-boundaries.ts";
import { asDuration, asPercent, asSize } from "./format.ts";
import type { CaptionedState, WallPhoto } from "./wall.ts";

/** Actions of a card's buttons. */
export interface CardActions {
  copyText(photo: WallPhoto, state: CaptionedState): void;
  copyHtml(photo: WallPhoto, state: CaptionedState): void;
  retry(photo: WallPhoto): void;
  remove(photo: WallPhoto): void;
}

/** Renders the label of a captioned photo. */
export function captionedView(photo: WallPhoto, state: CaptionedState, actions: CardActions): TemplateResult {
  const { result, isHit, elapsedMs } = state;
  const [best, ...others] = result.candidates;
  return html`<p class="caption">${best === undefined ? result.caption : captionWithBars(best)}</p>
    <p class="facts">
      <span class="sure"><span class="bar" aria-hidden="true" .style=${`--share: ${result.confidence}`}></span>${asPercent(result.confidence)} sure</span>
      <span class=${isHit ? "hit" : "miss"}>${isHit ? "from the cache" : "from the model"}, ${asDuration(elapsedMs)}</span>
    </p>
    <div class="actions">
      <button type="button" @click=${() => actions.copyText(photo, state)}>Copy text<span class="for-readers"> of ${photo.name}</span></button>
      <button type="button" @click=${() => actions.copyHtml(photo, state)}>Copy HTML<span class="for-readers"> of ${photo.name}</span></button>
    </div>
    <details class="more">
      <summary>${others.length === 0 ? "Word by word" : `${others.length} more captions, word by word`}<span class="for-readers"> for ${photo.name}</span></summary>
      ${others.length === 0 ? nothing : html`<h4>Other captions</h4><ol class="others" start="2">${others.map(otherView)}</ol>`}
      ${best === undefined ? nothing : html`<h4>Word by word</h4>${wordList(best)}`}
      ${factsView(state)}
    </details>`;
}

/** Renders a caption with each word's probability as the bar below it; `wordList` has the numbers for those who cannot see bars. */
function captionWithBars({ words }: Candidate): TemplateResult {
  const shown = words.filter(({ end }) => end !== true);
  // Styles are set as properties, since the page's content security policy forbids style attributes.
  return html`${shown.map(
    ({ word, probability }, index) =>
      html`${gapBetween(shown[index - 1]?.word, word)}<span class="word" data-percent=${asPercent(probability)} .style=${`--share: ${probability}`}>${word}</span>`,
  )}`;
}

/** Renders every word of a caption with its probability, the caption's end included. */
function wordList({ words }: Candidate): TemplateResult {
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

function otherView(candidate: Candidate): TemplateResult {
  return html`<li><span class="other">${captionWithBars(candidate)}</span> <span class="number">${asPercent(candidate.confidence)}</span></li>`;
}

function factsView({ result }: CaptionedState): TemplateResult {
  const { image, model, id, contentId, options } = result;
  const address = `/v1/captions/${contentId ?? id}?${captionQuery(options)}`;
  return html`<h4>About this answer</h4>
    <dl>
      <dt>Sent</dt>
      <dd>${image.format.toUpperCase()}, ${image.width} × ${image.height}, ${asSize(image.bytes)}</dd>
      <dt>Search</dt>
      <dd>${options.beam === 1 ? "greedy" : `beam ${options.beam}`}</dd>
      <dt>Model</dt>
      <dd>${model.id}, revision ${model.revision}</dd>
      <dt>Address</dt>
      <dd><a class="address" href=${address}>${address}</a></dd>
    </dl>`;
}
