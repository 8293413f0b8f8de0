import { html, nothing, type TemplateResult } from "lit-html";
import { type CaptionOptions, captionQuery } from "../../shared/caption-options.ts";
import type { Candidate } from "../../shared/contract.ts";
import { asDuration, asPercent, asSize } from "./format.ts";
import { type CaptionedState, captionOf, otherCandidates, shownCandidate, type WallPhoto } from "./wall.ts";

/** Actions of a card's buttons. */
export interface CardActions {
  copyText(photo: WallPhoto, state: CaptionedState): void;
  copyHtml(photo: WallPhoto, state: CaptionedState): void;
  copyKeywords(photo: WallPhoto, state: CaptionedState): void;
  edit(photo: WallPhoto): void;
  /** Puts a text in the caption's place, and closes its editor; an empty one brings back the model's. */
  correct(photo: WallPhoto, state: CaptionedState, text: string): void;
  /** Does the same if the editor is still open. */
  saveEditor(photo: WallPhoto, state: CaptionedState, text: string): void;
  closeEditor(photo: WallPhoto): void;
  retry(photo: WallPhoto): void;
  remove(photo: WallPhoto): void;
}

export interface CardParts {
  /** Whether the caption is being edited. */
  isEdited: boolean;
  actions: CardActions;
}

/** Renders the label of a captioned photo. */
export function captionedView(
  photo: WallPhoto,
  state: CaptionedState,
  { isEdited, actions }: CardParts,
): TemplateResult {
  return html`${isEdited ? editorView(photo, state, actions) : captionView(photo, state, actions)}
    ${keywordsView(photo, state, actions)}
    ${othersView(photo, state, actions)}
    ${isEdited ? nothing : actionsView(photo, state, actions)}`;
}

/** Renders the caption and what is known about it. A click on the caption edits it, as its button does. */
function captionView(photo: WallPhoto, state: CaptionedState, actions: CardActions): TemplateResult {
  const shown = shownCandidate(state);
  const edit = () => {
    if (getSelection()?.isCollapsed !== false) actions.edit(photo); // or the click ended a selection
  };
  return html`<p class="caption" @click=${edit}>${shown === undefined ? captionOf(state) : captionWithBars(shown)}</p>
    <p class="facts">
      ${shown === undefined ? nothing : html`<span class="sure"><span class="bar" aria-hidden="true" .style=${`--share: ${shown.confidence}`}></span>${asPercent(shown.confidence)} sure</span>`}
      ${state.correction === undefined ? sourceView(state) : correctionView(photo, state, actions)}
    </p>`;
}

function sourceView({ isHit, elapsedMs }: CaptionedState): TemplateResult {
  return html`<span class=${isHit ? "hit" : "miss"}>${isHit ? "from the cache" : "from the model"}<span class="elapsed">, ${asDuration(elapsedMs)}</span></span>`;
}

function correctionView(photo: WallPhoto, state: CaptionedState, actions: CardActions): TemplateResult {
  const origin = shownCandidate(state) === undefined ? "your words" : "your choice";
  const undo = () => actions.correct(photo, state, state.result.caption);
  return html`<span class="corrected">${origin}
    <button class="as-link" type="button" @click=${undo}>Undo<span class="for-readers"> the correction of ${photo.name}</span></button></span>`;
}

/** Renders the editor. Leaving it saves, as Enter does; Escape does not. */
function editorView(photo: WallPhoto, state: CaptionedState, actions: CardActions): TemplateResult {
  const save = ({ currentTarget }: Event) => {
    const box = currentTarget instanceof Element ? currentTarget.querySelector("textarea") : null;
    if (box !== null) actions.saveEditor(photo, state, box.value);
  };
  const close = () => actions.closeEditor(photo);
  const submit = (event: Event) => {
    event.preventDefault();
    save(event);
    close();
  };
  const leave = (event: FocusEvent) => {
    const { currentTarget, relatedTarget } = event;
    const isWithin =
      currentTarget instanceof Node && relatedTarget instanceof Node && currentTarget.contains(relatedTarget);
    if (!isWithin && document.hasFocus()) save(event);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (event.target instanceof HTMLTextAreaElement) event.target.form?.requestSubmit();
  };
  return html`<form class="editor" @submit=${submit} @focusout=${leave}>
    <textarea id="editor" rows="2" enterkeyhint="done" aria-label=${`Caption of ${photo.name}`} .value=${captionOf(state)} @keydown=${press}></textarea>
    <div class="actions" @mousedown=${keepFocus}>
      <button type="submit">Save</button>
      <button type="button" @click=${close}>Cancel</button>
    </div>
  </form>`;
}

/** Leaves the focus in the editor, or pressing a button would save and move what is under the mouse. */
function keepFocus(event: Event): void {
  event.preventDefault();
}

function keywordsView(photo: WallPhoto, state: CaptionedState, actions: CardActions): TemplateResult | typeof nothing {
  const { keywords = [] } = state.result;
  if (keywords.length === 0) return nothing;
  return html`<div class="keywords">
    <ul role="list" aria-label=${`Keywords of ${photo.name}`}>
      ${keywords.map(
        ({ keyword, confidence }) =>
          html`<li class="keyword" .style=${`--share: ${confidence}`}>${keyword}<span class="number">${asPercent(confidence)}</span></li>`,
      )}
    </ul>
    <button class="as-link" type="button" @click=${() => actions.copyKeywords(photo, state)}>Copy<span class="for-readers"> the keywords of ${photo.name}</span></button>
  </div>`;
}

/** Renders the other candidates. A click puts one in the caption's place. */
function othersView(photo: WallPhoto, state: CaptionedState, actions: CardActions): TemplateResult | typeof nothing {
  const others = otherCandidates(state);
  if (others.length === 0) return nothing;
  const otherView = ({ caption, confidence }: Candidate) => html`<li>
    <button class="other" type="button" title="Take this one" @mousedown=${keepFocus} @click=${() => actions.correct(photo, state, caption)}>
      <span class="for-readers">Use instead: </span><span class="text">${caption}</span> <span class="number">${asPercent(confidence)}</span>
    </button>
  </li>`;
  return html`<ul class="others" role="list" aria-label=${`Other captions of ${photo.name}`}>${others.map(otherView)}</ul>`;
}

function actionsView(photo: WallPhoto, state: CaptionedState, actions: CardActions): TemplateResult {
  const { key, name } = photo;
  const shown = shownCandidate(state);
  return html`<div class="actions">
    <button type="button" @click=${() => actions.copyText(photo, state)}>Copy text<span class="for-readers"> of ${name}</span></button>
    <button type="button" @click=${() => actions.copyHtml(photo, state)}>Copy HTML<span class="for-readers"> of ${name}</span></button>
    <button type="button" id=${`edit-${key}`} @click=${() => actions.edit(photo)}>Edit<span class="for-readers"> the caption of ${name}</span></button>
    <details class="more">
      <summary>Details<span class="for-readers"> of ${name}</span></summary>
      ${shown === undefined ? nothing : html`<h4>Word by word</h4>${wordList(shown)}`}
      ${factsView(state)}
    </details>
  </div>`;
}

/**
 * Renders a caption with each word's probability as the bar below it; `wordList` has the numbers for those who cannot see bars.
 * A sentence has a capital and a full stop that the words lack.
 */
function captionWithBars({ caption, words }: Candidate): TemplateResult {
  const lowerCase = caption.toLowerCase();
  const pieces: TemplateResult[] = [];
  let at = 0;
  for (const { word, probability, end } of words) {
    if (end === true) continue;
    const start = lowerCase.indexOf(word.toLowerCase(), at);
    if (start === -1) return html`${caption}`;
    const shown = caption.slice(start, start + word.length);
    // Styles are set as properties, since the page's content security policy forbids style attributes.
    pieces.push(
      html`${caption.slice(at, start)}<span class="word" data-percent=${asPercent(probability)} .style=${`--share: ${probability}`}>${shown}</span>`,
    );
    at = start + word.length;
  }
  return html`${pieces}${caption.slice(at)}`;
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

function factsView({ result, isHit, elapsedMs }: CaptionedState): TemplateResult {
  const { image, model, id, contentId, options } = result;
  const address = `/v1/captions/${contentId ?? id}?${captionQuery(options)}`;
  return html`<h4>About this answer</h4>
    <dl>
      <dt>Sent</dt>
      <dd>${image.format.toUpperCase()}, ${image.width} × ${image.height}, ${asSize(image.bytes)}</dd>
      <dt>Answered</dt>
      <dd>by ${isHit ? "the cache" : "the model"} in ${asDuration(elapsedMs)}</dd>
      <dt>Search</dt>
      <dd>${searchTextOf(options)}</dd>
      <dt>Model</dt>
      <dd>${model.id}, revision ${model.revision}</dd>
      <dt>Address</dt>
      <dd><a class="address" href=${address}>${address}</a></dd>
    </dl>`;
}

function searchTextOf({ beam, maxWords, style, neutral }: CaptionOptions): string {
  return [
    beam === 1 ? "greedy" : `beam ${beam}`,
    ...(maxWords === undefined ? [] : [`at most about ${maxWords} words`]),
    ...(style === "sentence" ? ["as a sentence"] : []),
    ...(neutral === true ? ["neutral words"] : []),
  ].join(", ");
}
