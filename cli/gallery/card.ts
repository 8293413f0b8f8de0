import { basename, relative, sep } from "node:path";
import { isUtf8Path, toDiskPath, toPathText } from "../../files/disk-path.ts";
import { isAddress } from "../../files/remote/address.ts";
import { html, type Markup } from "../../shared/html.ts";
import type { CaptionToList } from "../outputs/output.ts";
import { photoKeyOf } from "../state/state-index.ts";

/** What a card's line begins with, and what stands before its thumbnail: by these the next run finds the pictures that it need not make again. */
export const cardOpening = '<article class="card" data-id="';
export const thumbnailOpening = '<img src="';

/** A photo's card, on one line. It links to the photo from the gallery's folder. */
export function drawCard(photo: CaptionToList, { folder, thumbnail }: { folder: string; thumbnail: string }): Markup {
  const { file, caption, result, model } = photo;
  const path = toPathText(photo.path);
  const others = result.candidates.slice(1).map((candidate) => candidate.caption);
  const parts = [
    html`<article class="card" data-id="${photoKeyOf(result)}" data-path="${path}" data-confidence="${result.confidence}" data-said="${result.caption}">`,
    html`<a class="photo" href="${linkTo(file, folder)}" target="_blank" rel="noreferrer"><img src="${thumbnail}" alt="${path}" decoding="async"></a>`,
    html`<textarea rows="2" aria-label="Caption of ${path}"${model === undefined ? html` class="corrected"` : undefined}>${caption}</textarea>`,
    others.length > 0 ? html`<div class="others">${others.map(drawOther)}</div>` : undefined,
    html`<div class="facts"><span class="name" title="${path}">${basename(path)}</span>${drawConfidence(result.confidence)}<button type="button" class="undo" hidden>Undo</button></div></article>\n`,
  ];
  return html`${parts}`;
}

function drawOther(caption: string): Markup {
  return html`<button type="button" class="other" title="Take this one">${caption}</button>`;
}

function drawConfidence(confidence: number): Markup {
  const percent = `${Math.round(confidence * 100)} %`;
  return html`<span class="confidence" title="Confidence ${percent}"><i style="width:${percent.replace(" ", "")}"></i></span><span class="percent">${percent}</span>`;
}

function linkTo(file: string, folder: string): string {
  if (isAddress(file)) return file;
  return relative(folder, file).split(sep).map(encodeName).join("/");
}

function encodeName(name: string): string {
  if (isUtf8Path(name)) return encodeURIComponent(name);
  return Array.from(Buffer.from(toDiskPath(name)), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}
