import type { CaptionResult } from "../../shared/contract.ts";
import { byteOrderMark, csvRow } from "../../shared/csv.ts";
import type { Announcer } from "./announcer.ts";
import type { CaptionQueue } from "./caption-queue.ts";
import { download } from "./download.ts";
import type { History } from "./history.ts";
import type { PhotoReceiver } from "./photo-inputs.ts";
import { type CaptionedState, captionOf, otherCandidates, shownCandidate, type Wall, type WallPhoto } from "./wall.ts";
import type { WallActions } from "./wall-view.ts";

/** Time between photos that were added together, so that the history keeps their order: newest first. */
const orderMs = 0.001;

interface PageActionsParts {
  wall: Wall;
  queue: CaptionQueue;
  history: History;
  announcer: Announcer;
}

/** Everything that visitors do on the page: add photos, copy, save and remove captions. */
export class PageActions implements PhotoReceiver, WallActions {
  readonly #parts: PageActionsParts;

  constructor(parts: PageActionsParts) {
    this.#parts = parts;
  }

  /** Shows the history, or says in `note` that this browser keeps none. */
  async loadHistory(note: HTMLElement): Promise<void> {
    try {
      this.#parts.wall.append(await this.#parts.history.read());
    } catch {
      note.textContent = "This browser keeps no history: captions are lost when you close this page.";
    }
  }

  addFiles = (files: readonly File[]): void => {
    const nowMs = Date.now();
    this.#add(
      files.map((file, index) => newPhoto(file.name, { origin: { file }, addedAtMs: nowMs - index * orderMs })),
    );
  };

  addAddress = (address: string): void => {
    const { host, pathname } = new URL(address);
    const name = pathname.slice(pathname.lastIndexOf("/") + 1);
    this.#add([newPhoto(name === "" ? host : name, { origin: { address }, addedAtMs: Date.now() })]);
  };

  copyText = (_: WallPhoto, state: CaptionedState): void => void this.#copy(captionOf(state));

  copyHtml = (photo: WallPhoto, state: CaptionedState): void => void this.#copy(asHtml(photo, state));

  copyKeywords = (_: WallPhoto, { result }: CaptionedState): void => void this.#copy(keywordsOf(result).join(", "));

  edit = ({ key }: WallPhoto): void => {
    this.#parts.wall.edit(key);
    const editor = document.querySelector<HTMLTextAreaElement>("#editor");
    editor?.focus();
    editor?.setSelectionRange(editor.value.length, editor.value.length);
  };

  closeEditor = ({ key }: WallPhoto): void => {
    this.#parts.wall.edit(undefined);
    document.getElementById(`edit-${key}`)?.focus();
  };

  saveEditor = (photo: WallPhoto, state: CaptionedState, text: string): void => {
    if (this.#parts.wall.editedKey !== photo.key) return; // it is closed: browsers report the focus that it takes along
    this.correct(photo, state, text);
  };

  correct = ({ key, name }: WallPhoto, state: CaptionedState, text: string): void => {
    const { wall, history, announcer } = this.#parts;
    if (wall.editedKey === key) wall.edit(undefined);
    const caption = text.replace(/\s+/g, " ").trim();
    if (caption === captionOf(state)) return;
    const { correction: _, ...ofModel } = state;
    const corrected =
      caption === "" || caption === state.result.caption ? ofModel : { ...ofModel, correction: caption };
    wall.setState(key, corrected);
    announcer.say(`${name}: ${captionOf(corrected)}`);
    void history.update(key, corrected).catch(() => undefined); // this browser keeps no history, which the page says
  };

  retry = ({ key }: WallPhoto): void => this.#parts.queue.retry(key);

  remove = ({ key, name }: WallPhoto): void => {
    const { wall, history, announcer } = this.#parts;
    const index = wall.photos.findIndex((photo) => photo.key === key);
    wall.remove(key);
    void history.remove(key).catch(() => undefined); // without a history there is nothing to remove
    announcer.say(`${name} is removed.`);
    focusRemoveButton(index);
  };

  downloadCsv = (): void => download("captions.csv", { parts: [asCsv(this.#parts.wall.photos)], type: "text/csv" });

  clear = (): void => {
    this.#parts.wall.clear();
    void this.#parts.history.clear().catch(() => undefined);
    this.#parts.announcer.say("All captions are removed.");
    document.querySelector<HTMLElement>("#choose")?.focus();
  };

  #add(photos: readonly WallPhoto[]): void {
    if (photos.length === 0) return;
    const { wall, queue, announcer } = this.#parts;
    wall.prepend(photos);
    announcer.say(photos.length === 1 ? `${photos[0]?.name} is added.` : `${photos.length} photos are added.`);
    queue.add(photos.map(({ key }) => key));
    scrollToWall();
  }

  async #copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.#parts.announcer.show(`Copied: ${text}`);
    } catch {
      this.#parts.announcer.show("The browser does not let this page write to the clipboard.");
    }
  }
}

function newPhoto(name: string, { origin, addedAtMs }: Pick<WallPhoto, "origin" | "addedAtMs">): WallPhoto {
  const isPicture = "file" in origin && /^image\/(avif|gif|jpeg|png|webp)$/.test(origin.file.type);
  const picture = isPicture ? URL.createObjectURL(origin.file) : undefined;
  return { key: crypto.randomUUID(), name, origin, picture, addedAtMs, state: { step: "waiting" } };
}

/** Scrolls to the photos. On a phone the form fills the screen, and nothing would seem to happen. */
function scrollToWall(): void {
  const element = document.querySelector("#wall");
  if (element === null || element.getBoundingClientRect().top < innerHeight / 2) return;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
  element.scrollIntoView({ behavior, block: "start" });
}

/** Moves the focus from a removed card to the next one, or to the last. */
function focusRemoveButton(index: number): void {
  const buttons = document.querySelectorAll<HTMLElement>(".card .remove");
  const next = buttons[Math.min(index, buttons.length - 1)] ?? document.querySelector<HTMLElement>("#choose");
  next?.focus();
}

/** An image element with the caption as its alternative text, ready to be pasted into a page. */
function asHtml({ name }: Pick<WallPhoto, "name">, state: CaptionedState): string {
  const image = document.createElement("img");
  image.setAttribute("src", name);
  image.setAttribute("alt", captionOf(state));
  return image.outerHTML;
}

/** All captions as a table (RFC 4180), with a byte order mark, without which Excel takes it for Latin-1. */
function asCsv(photos: readonly WallPhoto[]): string {
  const rows = photos.flatMap(({ name, state }) => (state.step === "captioned" ? [rowOf(name, state)] : []));
  const table = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))];
  return `${byteOrderMark}${table.map((cells) => csvRow(cells, { lineEnd: "\r\n" })).join("")}`;
}

function rowOf(name: string, state: CaptionedState): Record<string, string | number> {
  const { result, isHit, elapsedMs, correction } = state;
  const { id, contentId = "", image, model } = result;
  const confidence = shownCandidate(state)?.confidence ?? ""; // nobody knows how sure the visitor is
  const others = otherCandidates(state).map((candidate) => candidate.caption);
  const { format, width, height, bytes } = image;
  return {
    ...{ file: name, caption: captionOf(state), confidence, others: others.join(" | ") },
    ...{ keywords: keywordsOf(result).join(" | ") },
    ...{ corrected: correction === undefined ? "" : "yes" },
    ...{ source: isHit ? "cache" : "model", milliseconds: Math.round(elapsedMs) },
    ...{ format, width, height, bytes, id, contentId, model: model.id, revision: model.revision },
  };
}

function keywordsOf({ keywords = [] }: CaptionResult): string[] {
  return keywords.map(({ keyword }) => keyword);
}
