import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isUnsafeForTerminal, terminalJson, terminalLines, terminalText } from "../../shared/terminal-text.ts";

const texts = fc.string({ unit: "binary" });

test.each([
  ["an escape sequence", "\u001b]52;c;ZXZpbA==\u0007\u001b[31m.jpg", "\\x1b]52;c;ZXZpbA==\\x07\\x1b[31m.jpg"],
  ["a C1 control", "\u009b31m.jpg", "\\u009b31m.jpg"],
  ["ends of lines", "a\r\nb\u0085c\u2028d", "a\\r\\nb\\u0085c\\u2028d"],
  ["bidirectional overrides", "\u202egpj.exe\u2066", "\\u202egpj.exe\\u2066"],
  ["invisible characters", "a\u200bb\ufeffc\u{e0041}d\u00ade", "a\\u200bb\\ufeffc\\U000e0041d\\u00ade"],
  ["a byte that is not UTF-8", "M\udcfcller", "M\\xFCller"],
  ["half a character", "a\ud800b", "a\\ud800b"],
])("shows %s as an escape", (_, text, shown) => {
  expect(terminalText(text)).toBe(shown);
});

test.each(["Müller (2023) – été.jpg", "👨‍👩‍👧 ❤️.jpg", "می‌خواهم.jpg", "a\\b'\"$x.jpg", "犬 कुत्ता"])(
  "leaves %s as it is",
  (text) => {
    expect(terminalText(text)).toBe(text);
    expect(isUnsafeForTerminal(text)).toBe(false);
  },
);

test("leaves nothing that a terminal acts on, whatever the text, and gives it back from JSON", () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(isUnsafeForTerminal(terminalText(text))).toBe(false);
      expect(isUnsafeForTerminal(terminalLines(text).replaceAll("\n", ""))).toBe(false);
      const json = terminalJson({ text });
      expect(isUnsafeForTerminal(json)).toBe(false);
      expect(JSON.parse(json)).toEqual({ text });
    }),
  );
});

test("escapes as bash reads them", async () => {
  const name = "a\n\u001b[31m\u009b\u202e\u{e0041}.jpg";
  const { stdout } = await promisify(execFile)("bash", ["-c", `LC_ALL=C.UTF-8; printf %s $'${terminalText(name)}'`]);
  expect(stdout).toBe(name);
});
