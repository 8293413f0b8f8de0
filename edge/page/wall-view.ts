import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { type CardActions, type CardParts, captionedView } from "./captioned-view.ts";
import type { PhotoState, Wall, WallPhoto } from "./wall.ts";

/** Texts for the steps of captioning a photo. */
const progress = {
  "looking up": "Checking whether it is known",
  captioning: "Reading the picture",
} as const;

export interface WallActions extends CardActions {
  downloadCsv(): void;
  clear(): void;
}

/** Renders everything below the form: progress, actions on all photos, and the photos. */
export function wallView(
  { photos, editedKey }: Pick<Wall, "photos" | "editedKey">,
  actions: WallActions,
): TemplateResult | typeof nothing {
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
        (photo) => cardView(photo, { isEdited: photo.key === editedKey, actions }),
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

function progressOf(step: "waiting" | keyof typeof progress): TemplateResult {
  if (step !== "waiting") return html`<span class="wheel" aria-hidden="true"></span>${progress[step]}`;
  return html`${navigator.onLine ? "Waiting for its turn" : "Waiting for the connection"}`;
}

/** Renders a photo with its label, like a picture's in a museum. */
function cardView(photo: WallPhoto, parts: CardParts): TemplateResult {
  const { key, name, state } = photo;
  const isBusy = state.step !== "captioned" && state.step !== "failed";
  return html`<li>
    <article class="card" data-step=${state.step} aria-labelledby=${`name-${key}`} aria-busy=${isBusy}>
      <div class="picture">${pictureOf(photo)}</div>
      <div class="label">
        <h3 class="name" id=${`name-${key}`}>${name}</h3>
        ${labelOf(photo, parts)}
      </div>
      <button class="remove" type="button" @click=${() => parts.actions.remove(photo)}>
        <svg aria-hidden="true" viewBox="0 0 16 16"><path d="M4 4l8 8M12 4l-8 8" /></svg>
        <span class="for-readers">Remove ${name}</span>
      </button>
    </article>
  </li>`;
}

function pictureOf({ picture, origin, name }: WallPhoto): TemplateResult {
  if (picture !== undefined)
    return html`<img src=${picture} alt="" decoding="async" loading="lazy" @load=${fitPicture} />`;
  const label = "address" in origin ? new URL(origin.address).host : extensionOf(name);
  return html`<p class="no-picture" aria-hidden="true">${label}</p>`;
}

/** Shows all of an upright, square or panoramic photo: cut to the card's shape it would lose heads or ends. */
function fitPicture({ currentTarget }: Event): void {
  if (!(currentTarget instanceof HTMLImageElement)) return;
  const shape = currentTarget.naturalWidth / currentTarget.naturalHeight;
  currentTarget.classList.toggle("whole", shape < 1.2 || shape > 1.8);
}

function extensionOf(name: string): string {
  return /\.([^.]{1,5})$/.exec(name)?.[1]?.toUpperCase() ?? "Photo";
}

function labelOf(photo: WallPhoto, parts: CardParts): TemplateResult {
  const { state } = photo;
  switch (state.step) {
    case "captioned":
      return captionedView(photo, state, parts);
    case "failed":
      return failedView(photo, state, parts.actions);
    default:
      return html`<p class="progress">${progressOf(state.step)}</p>`;
  }
}

function failedView(
  photo: WallPhoto,
  { message, code, requestId, isWorthRetrying }: Extract<PhotoState, { step: "failed" }>,
  actions: CardActions,
): TemplateResult {
  return html`<p class="failure"><strong>No caption.</strong> ${message}</p>
    ${code === undefined ? nothing : html`<p class="code"><code>${code}</code>${requestId === undefined ? nothing : html` <span>request ${requestId}</span>`}</p>`}
    ${
      isWorthRetrying
        ? html`<div class="actions"><button type="button" @click=${() => actions.retry(photo)}>
            Try again<span class="for-readers"> with ${photo.name}</span>
          </button></div>`
        : nothing
    }`;
}
