import { byteOrderMark, csvRow } from "../../../shared/csv.ts";

interface Card {
  element: HTMLElement;
  box: HTMLTextAreaElement;
  undo: HTMLElement;
  /** Position in the order of the run, from 0. */
  index: number;
  id: string;
  path: string;
  confidence: number;
  /** What the model says. */
  said: string;
  /** The caption that the page came with: a person's, if the photo had one. */
  first: string;
}

/** The captions that were typed, by photo id, kept in this browser: neither a reload nor a newer gallery loses them. */
class Corrections {
  readonly #key = `edge-caption ${location.pathname}`;
  readonly #captions: Map<string, string>;

  constructor() {
    this.#captions = new Map(Object.entries(readStored(this.#key)));
  }

  of(id: string): string | undefined {
    return this.#captions.get(id);
  }

  /** Keeps a caption, or forgets the photo's if it is undefined. */
  set(id: string, caption: string | undefined): void {
    if (caption === undefined) this.#captions.delete(id);
    else this.#captions.set(id, caption);
    try {
      localStorage.setItem(this.#key, JSON.stringify(Object.fromEntries(this.#captions)));
    } catch {
      // private windows have no room: the download still works
    }
  }
}

const main = find(document, "#cards", HTMLElement);
const search = find(document, "#search", HTMLInputElement);
const order = find(document, "#order", HTMLSelectElement);
const onlyCorrected = find(document, "#only-edited", HTMLInputElement);
const count = find(document, "#count", HTMLElement);
const none = find(document, "#none", HTMLElement);

const corrections = new Corrections();
const cards = [...main.querySelectorAll<HTMLElement>(".card")].map(readCard);
const cardsByElement = new Map(cards.map((card) => [card.element, card]));

for (const card of cards) {
  card.box.value = corrections.of(card.id) ?? card.box.value;
  showWhetherEdited(card);
}
main.addEventListener("input", ({ target }) => {
  const card = cardAt(target);
  if (card !== undefined) correct(card, card.box.value);
});
main.addEventListener("click", ({ target }) => {
  const card = cardAt(target);
  if (card === undefined || !(target instanceof HTMLElement)) return;
  if (target.matches(".other")) correct(card, target.textContent);
  if (target.matches(".undo")) {
    correct(card, card.first);
    card.box.focus();
  }
});
main.addEventListener("keydown", (event) => {
  const card = cardAt(event.target);
  if (card === undefined || event.target !== card.box) return;
  if (event.key === "Escape") correct(card, card.first);
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  const next = neighbourOf(card, { step: event.shiftKey ? -1 : 1 });
  next?.box.focus();
  next?.box.select();
});
search.addEventListener("input", filter);
onlyCorrected.addEventListener("change", filter);
order.addEventListener("change", arrange);
find(document, "#download", HTMLElement).addEventListener("click", download);
showCount();

function find<Element>(root: ParentNode, selector: string, Class: new () => Element): Element {
  const found = root.querySelector(selector);
  if (found instanceof Class) return found;
  throw new Error(`expected ${selector} on the page`);
}

function readCard(element: HTMLElement, index: number): Card {
  const { id = "", path = "", confidence, said = "" } = element.dataset;
  const box = find(element, "textarea", HTMLTextAreaElement);
  const undo = find(element, ".undo", HTMLElement);
  return { element, box, undo, index, id, path, confidence: Number(confidence), said, first: box.value };
}

function cardAt(target: EventTarget | null): Card | undefined {
  const element = target instanceof Element ? target.closest<HTMLElement>(".card") : null;
  return element === null ? undefined : cardsByElement.get(element);
}

function captionOf({ box }: Card): string {
  return box.value.replace(/\s+/g, " ").trim();
}

/** Whether the caption differs from what the page came with. */
function isEdited(card: Card): boolean {
  return captionOf(card) !== card.first;
}

function correct(card: Card, caption: string): void {
  card.box.value = caption;
  corrections.set(card.id, isEdited(card) ? captionOf(card) : undefined);
  showWhetherEdited(card);
  showCount();
}

function showWhetherEdited(card: Card): void {
  card.element.classList.toggle("edited", isEdited(card));
  card.undo.hidden = !isEdited(card);
}

function showCount(): void {
  const shown = cards.filter(({ element }) => !element.hidden).length;
  const edited = cards.filter(isEdited).length;
  const all = cards.length.toLocaleString("en");
  const photos = shown === cards.length ? all : `${shown.toLocaleString("en")} of ${all}`;
  count.textContent = `${photos} ${cards.length === 1 ? "photo" : "photos"}${edited > 0 ? `, ${edited} corrected` : ""}`;
  none.hidden = shown > 0;
}

/** Hides photos that lack one of the words, and uncorrected ones if only the corrected are wanted. */
function filter(): void {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const card of cards) {
    const text = `${card.box.value} ${card.path}`.toLowerCase();
    const isWanted = !onlyCorrected.checked || captionOf(card) !== card.said;
    card.element.hidden = !isWanted || !words.every((word) => text.includes(word));
  }
  showCount();
}

function arrange(): void {
  const sign = order.value === "found" ? 0 : order.value === "least" ? 1 : -1;
  const sorted = cards.toSorted((one, other) => sign * (one.confidence - other.confidence) || one.index - other.index);
  main.append(...sorted.map(({ element }) => element));
}

/** The next photo that is shown, in the order on the page; backwards with a step of -1. */
function neighbourOf(card: Card, { step }: { step: 1 | -1 }): Card | undefined {
  let element: Element | null = card.element;
  do {
    element = step > 0 ? element.nextElementSibling : element.previousElementSibling;
  } while (element instanceof HTMLElement && element.hidden);
  return cardAt(element);
}

/** Saves a table that `edge-caption apply` reads. */
function download(): void {
  const rows = cards.map((card) => [card.path, captionOf(card), card.id]);
  const csv = [["path", "caption", "id"], ...rows].map((row) => csvRow(row)).join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([byteOrderMark, csv], { type: "text/csv" }));
  link.download = "corrected.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function readStored(key: string): Record<string, string> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    const entries = Object.entries(typeof stored === "object" && stored !== null ? stored : {});
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return {};
  }
}
