import { html, type Markup } from "../../shared/html.ts";

/** The contract's descriptions as markup: paragraphs, and code between backticks, which is all the Markdown they use. */
export function prose(text: unknown): Markup {
  if (typeof text !== "string") return html``;
  return html`${text.split("\n\n").map((paragraph) => html`<p>${inline(paragraph)}</p>`)}`;
}

/** A line of a description, without paragraphs. */
export function inline(text: string): Markup {
  return html`${text.split("`").map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`))}`;
}
