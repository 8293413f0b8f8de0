import { html, type Markup } from "../../shared/html.ts";

/** A part of the page, with its place in the contents. */
export interface Section {
  /** Fragment of its address within the page. */
  id: string;
  title: string;
  body: Markup;
}

type Cell = Markup | string | number;

interface Table {
  /** What the table is about. */
  caption: string;
  heading: readonly string[];
  /** The first cell of each is its heading. */
  rows: readonly (readonly Cell[])[];
  /** Number of columns from the left that hold words; the others hold figures. */
  textColumns?: number;
}

/** A table that scrolls sideways, by keyboard too, if the screen is narrower. */
export function table({ caption, heading, rows, textColumns = 1 }: Table): Markup {
  const classOf = (column: number) => (column < textColumns ? html` class="text"` : undefined);
  const body = rows.map(
    ([first = "", ...cells]) =>
      html`<tr><th scope="row">${first}</th>${cells.map((cell, index) => html`<td${classOf(index + 1)}>${cell}</td>`)}</tr>
`,
  );
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${heading.map((name, index) => html`<th scope="col"${classOf(index)}>${name}</th>`)}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}
