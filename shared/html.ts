/** Markup, as opposed to text that has yet to be escaped. `html` makes it, and `trusted` for style sheets. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A template's value; undefined renders nothing. */
type Part = Markup | string | number | undefined | readonly Part[];

/** Builds markup from a template. Values in `${}` are escaped, for elements and quoted attributes, unless they are markup. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, index) => text + textOf(parts[index])).join(""));
}

/** Turns text into markup without escaping: for parts of the program, never for data. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function textOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return String(part).replace(/[&<>"'\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}
