import { html, nothing, type TemplateResult } from "lit-html";
import type { PhotoState, WallPhoto } from "../wall.ts";
import { type CardActions, captionedView } from "./captioned-view.ts";

const progress = {
  "looking up": "Looking whether it is known",
  captioning: "Reading the picture",
} as const;

function progressOf(step: "waiting" | keyof typeof progress): TemplateResult {
  if (step !== "waiting") return html`<span class="wheel" aria-hidden="true"></span>${progress[step]}`;
  return html`${navigator.onLine ? "Waiting its turn" : "Waiting for the connection"}`;
}

/** Renders a photo with its label, like a picture's in a museum. */
export function cardView(photo: WallPhoto, actions: CardActions): TemplateResult {
  const { key, name, state } = photo;
  const isBusy = state.step !== "captioned" && state.step !== "failed";
  return html`<li>
    <article class="card" data-step=${state.step} aria-labelledby=${`name-${key}`} aria-busy=${isBusy}>
      <div class="picture">${pictureOf(photo)}</div>
      <div class="label">
        <h3 class="name" id=${`name-${key}`}>${name}</h3>
        ${labelOf(photo, actions)}
      </div>
      <button class="remove" type="button" @click=${() => actions.remove(photo)}>
        <svg aria-hidden="true" viewBox="0 0 16 16"><path d="M4 4l8 8M12 4l-8 8" /></svg>
        <span class="for-readers">Remove ${name}</span>
      </button>
    </article>
  </li>`;
}

function pictureOf({ picture, origin, name }: WallPhoto): TemplateResult {
  if (picture !== undefined) return html`<img src=${picture} alt="" decoding="async" loading="lazy" />`;
  const label = "address" in origin ? new URL(origin.address).host : extensionOf(name);
  return html`<p class="no-picture" aria-hidden="true">${label}</p>`;
}

function extensionOf(name: string): string {
  return /\.([^.]{1,5})$/.exec(name)?.[1]?.toUpperCase() ?? "Photo";
}

function labelOf(photo: WallPhoto, actions: CardActions): TemplateResult {
  const { state } = photo;
  switch (state.step) {
    case "captioned":
      return captionedView(photo, state, actions);
    case "failed":
      return failedView(photo, state, actions);
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
