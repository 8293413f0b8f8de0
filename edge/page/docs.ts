import { find } from "./find.ts";

/** Reply headers that are shown: they say how the reply came about. */
const shownHeaders = [
  "Cache-Status",
  "Age",
  "ETag",
  "Content-Location",
  "Retry-After",
  "Server-Timing",
  "X-Request-Id",
];

find("#origin", HTMLElement).textContent = location.origin;
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.dataset.path !== undefined) void send(form);
  });
}
openTarget();
addEventListener("hashchange", openTarget);

async function send(form: HTMLFormElement): Promise<void> {
  const reply = form.parentElement?.querySelector(".reply");
  if (!reply) return;
  reply.replaceChildren(paragraph("Sending…"));
  try {
    const begunMs = performance.now();
    const response = await fetch(requestOf(form));
    const text = await response.text();
    const elapsedMs = Math.round(performance.now() - begunMs);
    reply.replaceChildren(
      paragraph(`${response.status} after ${elapsedMs} ms`),
      block(shownHeaders.flatMap((name) => headerLine(name, response.headers.get(name))).join("\n")),
      block(indentJson(text)),
    );
    if (response.ok) fillIds(text);
  } catch {
    reply.replaceChildren(paragraph("Nothing came back: is this machine online?"));
  }
}

/** Builds the request that a form describes: parameters where the contract has them, a photo or JSON as the body. */
function requestOf(form: HTMLFormElement): Request {
  const key = find("#key", HTMLInputElement).value;
  const headers = new Headers(key === "" ? {} : { Authorization: `Bearer ${key}` });
  const query = new URLSearchParams();
  let path = form.dataset.path ?? "/";
  let body: BodyInit | null = null;
  for (const field of form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("[data-place]")) {
    const { name, value } = field;
    const { place } = field.dataset;
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value).replaceAll("%3A", ":"));
    if (place === "query" && value !== "") query.set(name, value);
    if (place === "header" && value !== "") headers.set(name, value);
    if (place === "photo" && field instanceof HTMLInputElement) body = field.files?.[0] ?? null;
    if (place === "body") {
      body = value;
      headers.set("Content-Type", "application/json");
    }
  }
  const address = query.size === 0 ? path : `${path}?${query}`;
  return new Request(address, { method: (form.dataset.method ?? "get").toUpperCase(), headers, body });
}

/** Fills a photo's id in where the next request is likely to need it. */
function fillIds(text: string): void {
  const [id] = /sha256:[0-9a-f]{64}/.exec(text) ?? [];
  if (id === undefined) return;
  for (const field of document.querySelectorAll<HTMLInputElement>('input[name="id"]')) {
    if (field.value === "") field.value = id;
  }
  for (const field of document.querySelectorAll("textarea")) field.value = field.value.replace("sha256:…", id);
}

function indentJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function headerLine(name: string, value: string | null): string[] {
  return value === null ? [] : [`${name}: ${value}`];
}

function paragraph(text: string): HTMLElement {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

function block(text: string): HTMLElement {
  const element = document.createElement("pre");
  element.tabIndex = 0; // it scrolls, and not by mouse alone
  element.textContent = text;
  return element;
}

/** Opens the form of the operation that the URL links to. */
function openTarget(): void {
  const target = document.getElementById(location.hash.slice(1));
  target?.querySelector<HTMLDetailsElement>("details.try")?.setAttribute("open", "");
}
