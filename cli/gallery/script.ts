import { formulaOpening } from "../../shared/csv.ts";

/**
 * The gallery's script. A correction is kept in the browser as it is typed, by the photo's id, so that neither a reload nor
 * a newer gallery loses it.
 */
export const script = `
"use strict";
const main = document.getElementById("cards");
const cards = [...main.querySelectorAll(".card")].map((element, place) => {
  const box = element.querySelector("textarea");
  const { id, path, confidence, said } = element.dataset;
  return { element, box, undo: element.querySelector(".undo"), place, id, path, confidence: Number(confidence), said, first: box.value };
});
const search = document.getElementById("search");
const order = document.getElementById("order");
const onlyEdited = document.getElementById("only-edited");
const store = "edge-caption " + location.pathname;
const edits = readEdits();

function readEdits() {
  try { return JSON.parse(localStorage.getItem(store)) ?? {}; } catch { return {}; }
}
function keepEdits() {
  try { localStorage.setItem(store, JSON.stringify(edits)); } catch {} // private windows have no room: the download still works
}
function tidy(text) {
  return text.replace(/\\s+/g, " ").trim();
}
function isEdited(card) {
  return tidy(card.box.value) !== card.first;
}
function isCorrected(card) {
  return tidy(card.box.value) !== card.said;
}
function show(card) {
  card.element.classList.toggle("edited", isEdited(card));
  card.undo.hidden = !isEdited(card);
}
function change(card, text) {
  card.box.value = text;
  if (isEdited(card)) edits[card.id] = tidy(text);
  else delete edits[card.id];
  keepEdits();
  show(card);
  tell();
}
function tell() {
  const shown = cards.filter((card) => !card.element.hidden).length;
  const edited = cards.filter(isEdited).length;
  const all = cards.length.toLocaleString("en");
  document.getElementById("count").textContent =
    (shown === cards.length ? all : shown.toLocaleString("en") + " of " + all) + (cards.length === 1 ? " photo" : " photos") + (edited > 0 ? ", " + edited + " corrected" : "");
  document.getElementById("none").hidden = shown > 0;
}
function filter() {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for (const card of cards) {
    const text = (card.box.value + " " + card.path).toLowerCase();
    card.element.hidden = !words.every((word) => text.includes(word)) || (onlyEdited.checked && !isCorrected(card));
  }
  tell();
}
function arrange() {
  const by = { found: (a, b) => a.place - b.place, least: (a, b) => a.confidence - b.confidence || a.place - b.place, most: (a, b) => b.confidence - a.confidence || a.place - b.place };
  main.append(...[...cards].sort(by[order.value]).map((card) => card.element));
}
function cell(text) {
  const disarmed = ("\\n" + text).replace(${formulaOpening}, "$1'").slice(1); // as disarmFormulas has it
  return /[",\\r\\n;\\t]/.test(disarmed) ? '"' + disarmed.replaceAll('"', '""') + '"' : disarmed;
}
function download() {
  const rows = cards.map((card) => [card.path, tidy(card.box.value), card.id]);
  const csv = [["path", "caption", "id"], ...rows].map((row) => row.map(cell).join(",") + "\\n").join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\\uFEFF" + csv], { type: "text/csv" }));
  link.download = "corrected.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
function neighbour(card, step) {
  for (let next = card.element; next; ) {
    next = step > 0 ? next.nextElementSibling : next.previousElementSibling;
    if (next && !next.hidden) return next.querySelector("textarea");
  }
}

for (const card of cards) {
  if (edits[card.id] !== undefined) card.box.value = edits[card.id];
  show(card);
}
const cardOf = new Map(cards.map((card) => [card.element, card]));
const cardAt = (target) => cardOf.get(target.closest(".card"));
main.addEventListener("input", (event) => change(cardAt(event.target), event.target.value));
main.addEventListener("click", (event) => {
  const card = cardAt(event.target);
  if (event.target.matches(".undo")) { change(card, card.first); card.box.focus(); }
  if (event.target.matches(".other")) change(card, event.target.textContent);
});
main.addEventListener("keydown", (event) => {
  if (!event.target.matches("textarea")) return;
  const card = cardAt(event.target);
  if (event.key === "Escape") change(card, card.first);
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  const next = neighbour(card, event.shiftKey ? -1 : 1);
  if (next) { next.focus(); next.select(); }
});
search.addEventListener("input", filter);
onlyEdited.addEventListener("change", filter);
order.addEventListener("change", arrange);
document.getElementById("download").addEventListener("click", download);
tell();
`;
