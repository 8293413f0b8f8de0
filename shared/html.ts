/** Markup, as opposed to text that has yet to be escaped. Made by `html`; `trusted` is for style sheets. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Undefined stands for nothing. */
type Part = Markup | string | number | undefined | readonly Part[];

/** Markup from a template. What stands in `${}` is text and escaped, for elements as for attributes in quotes, unless it is markup. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, index) => text + textOf(parts[index])).join(""));
}

/** A text as markup as it stands. For what is part of the program, never for data. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function textOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return String(part).replace(/[&<>"'\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}
