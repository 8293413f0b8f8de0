import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { WallPhoto } from "../wall.ts";
import type { CardActions } from "./captioned-view.ts";
import { cardView } from "./card-view.ts";

export interface WallActions extends CardActions {
  downloadCsv(): void;
  clear(): void;
}

/** Renders everything below the form: progress, actions on all photos, and the photos. */
export function wallView(photos: readonly WallPhoto[], actions: WallActions): TemplateResult | typeof nothing {
  if (photos.length === 0) return nothing;
  const hasCaptions = photos.some(({ state }) => state.step === "captioned");
  return html`<div class="wall-head">
      <h2 id="wall-title">Captions</h2>
      ${countsView(photos)}
      <div class="wall-actions">
        <button type="button" ?disabled=${!hasCaptions} @click=${actions.downloadCsv}>Download CSV</button>
        <button type="button" @click=${actions.clear}>Clear all</button>
      </div>
    </div>
    <ul class="cards" role="list">
      ${repeat(
        photos,
        ({ key }) => key,
        (photo) => cardView(photo, actions),
      )}
    </ul>`;
}

function countsView(photos: readonly WallPhoto[]): TemplateResult {
  const visit = photos.filter(({ origin }) => !("visit" in origin));
  const captioned = photos.filter(({ state }) => state.step === "captioned").length;
  const failed = photos.filter(({ state }) => state.step === "failed").length;
  const ended = visit.filter(({ state }) => state.step === "captioned" || state.step === "failed").length;
  const summary = [`${captioned} captioned`, ...(failed === 0 ? [] : [`${failed} without`])].join(", ");
  if (ended === visit.length) return html`<p class="tally">${summary}</p>`;
  return html`<p class="tally">
    <label>${ended} of ${visit.length} <progress max=${visit.length} value=${ended}></progress></label>
  </p>`;
}
