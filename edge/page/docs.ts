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

/** Where the language of examples is stored. */
const languageKey = "language";

for (const origin of document.querySelectorAll(".origin")) origin.textContent = location.origin;
connectLanguages();
connectCopying();
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.dataset.path !== undefined) void send(form);
  });
}
openTarget();
addEventListener("hashchange", openTarget);

/** Shows every example in the language that was chosen for one, and in the next visit again. */
function connectLanguages(): void {
  const choices = document.querySelectorAll<HTMLInputElement>(".examples input");
  const choose = (language: string) => {
    for (const choice of choices) choice.checked = choice.value === language;
  };
  for (const choice of choices) {
    choice.addEventListener("change", () => {
      const { top } = choice.getBoundingClientRect();
      choose(choice.value);
      scrollBy({ top: choice.getBoundingClientRect().top - top, behavior: "instant" }); // examples above have grown or shrunk
      storeLanguage(choice.value);
    });
  }
  const stored = readLanguage();
  if ([...choices].some(({ value }) => value === stored)) choose(stored);
}

function readLanguage(): string {
  try {
    return localStorage.getItem(languageKey) ?? "";
  } catch {
    return ""; // storage is forbidden
  }
}

function storeLanguage(language: string): void {
  try {
    localStorage.setItem(languageKey, language);
  } catch {
    // storage is forbidden: the choice lasts as long as the page
  }
}

/** Adds a button that copies the example shown. */
function connectCopying(): void {
  for (const examples of document.querySelectorAll(".examples")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const language = examples.querySelector<HTMLInputElement>("input:checked")?.value;
      const example = examples.querySelector(`[data-language="${language}"]`);
      const isCopied = await navigator.clipboard.writeText(example?.textContent ?? "").then(
        () => true,
        () => false, // the browser does not let this page write to the clipboard
      );
      button.textContent = isCopied ? "Copied" : "Not copied";
      setTimeout(() => button.replaceChildren("Copy"), 2_000);
    });
    examples.append(button);
  }
}

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
    reply.replaceChildren(paragraph("No answer: are you online?"));
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

/** Opens the schema that the URL links to, or the form of the operation. */
function openTarget(): void {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
  target?.querySelector<HTMLDetailsElement>("details.try")?.setAttribute("open", "");
}
