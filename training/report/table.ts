import { html, type Markup } from "./html.ts";

type Cell = Markup | string | number;

interface Table {
  /** What the table is about. */
  caption: string;
  heading: readonly string[];
  /** The first cell of each is its heading. */
  rows: readonly (readonly Cell[])[];
}

/** A table that scrolls sideways, by keyboard too, where the screen is narrower. Every column but the first holds figures. */
export function table({ caption, heading, rows }: Table): Markup {
  const body = rows.map(
    ([first = "", ...cells]) =>
      html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
  );
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${heading.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}
