/**
 * Characters that a terminal acts on or does not show: controls (C0, DEL, C1), bidirectional overrides and other format
 * characters, ends of lines, halves of a surrogate pair. ZWJ and ZWNJ, without which emoji and Persian fall apart, are none.
 */
const unsafe = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const everyUnsafe = new RegExp(unsafe, "gu");

const shortEscapes: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Whether a text would do something to a terminal, or spread over several lines. */
export function isUnsafeForTerminal(text: string): boolean {
  return unsafe.test(text);
}

/**
 * A text from elsewhere (a file's name, a caption, a server's answer) on one line of a terminal: what a terminal would act on
 * is shown as an escape of bash's `$'…'`.
 */
export function terminalText(text: string): string {
  return text.replace(everyUnsafe, (character) => shortEscapes[character] ?? escapeOf(character.codePointAt(0) ?? 0));
}

/** The same for a text of several lines: its ends of lines stay. */
export function terminalLines(text: string): string {
  return text.split("\n").map(terminalText).join("\n");
}

/** JSON on one line, in which the same characters stand as JSON's own escapes: whoever parses it gets them back. */
export function terminalJson(value: unknown): string {
  return JSON.stringify(value).replace(everyUnsafe, (character) =>
    character
      .split("")
      .map((unit) => `\\u${hexOf(unit.charCodeAt(0), 4)}`)
      .join(""),
  );
}

/** U+DC80 to U+DCFF stand for bytes of names that are not UTF-8. */
function escapeOf(code: number): string {
  if (code < 0x80) return `\\x${hexOf(code, 2)}`;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hexOf(code - 0xdc00, 2).toUpperCase()}`;
  return code < 0x10000 ? `\\u${hexOf(code, 4)}` : `\\U${hexOf(code, 8)}`;
}

function hexOf(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
