/**
 * Characters that a terminal acts on or does not show: controls (C0, DEL, C1), bidirectional overrides and other format
 * characters, line ends, lone surrogates. ZWJ and ZWNJ, which emoji and Persian need, are allowed.
 */
const unsafe = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const everyUnsafe = new RegExp(unsafe, "gu");

const shortEscapes: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Whether a text would control a terminal or span several lines. */
export function isUnsafeForTerminal(text: string): boolean {
  return unsafe.test(text);
}

/**
 * Writes a foreign text (a file's name, a caption, a server's answer) on one line of a terminal, with the characters that a
 * terminal would act on as escapes of bash's `$'…'`.
 */
export function terminalText(text: string): string {
  return text.replace(everyUnsafe, (character) => shortEscapes[character] ?? escapeOf(character.codePointAt(0) ?? 0));
}

/** Writes a foreign text of several lines, keeping its line ends. */
export function terminalLines(text: string): string {
  return text.split("\n").map(terminalText).join("\n");
}

/** Writes JSON on one line with the same characters as JSON escapes, so that parsing it gives them back. */
export function terminalJson(value: unknown): string {
  return JSON.stringify(value).replace(everyUnsafe, (character) =>
    character
      .split("")
      .map((unit) => `\\u${hexOf(unit.charCodeAt(0), 4)}`)
      .join(""),
  );
}

/** Escapes a character. U+DC80 to U+DCFF stand for bytes of names that are not UTF-8. */
function escapeOf(code: number): string {
  if (code < 0x80) return `\\x${hexOf(code, 2)}`;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hexOf(code - 0xdc00, 2).toUpperCase()}`;
  return code < 0x10000 ? `\\u${hexOf(code, 4)}` : `\\U${hexOf(code, 8)}`;
}

function hexOf(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
