/** Stands in every secret that the tests make, so that it is known wherever it turns up. */
export const secretMark = "canary-51d3";

/** What no log may hold, however it is written there. */
const forbidden: readonly [what: string, pattern: RegExp][] = [
  ["a secret", new RegExp(secretMark)],
  ["an API key", /ec_[0-9a-f]{64}/],
  ["an Authorization header", /\bbearer\s+[\w-]{8}|"authorization"/i],
  ["a caller's address", /\b(203\.0\.113|198\.51\.100)\.\d|2001:db8:/i], // those of documentation, which the tests' callers have
  ["a signature", /x-signature|(?<![:\w])[0-9a-f]{64}(?!\w)/i],
  [
    "a photo's bytes",
    /\xff\xd8\xff|\xc3\xbf\xc3\x98\xc3\xbf|\x89PNG\r|RIFF[\s\S]{4}WEBP|JFIF|"type": ?"Buffer"|<Buffer /,
  ],
  ["a photo's bytes as numbers", /\b(255,\s*216,\s*255|137,\s*80,\s*78,\s*71|82,\s*73,\s*70,\s*70),/],
  ["a photo's bytes in base64", /\/9j\/|iVBORw0KGgo|UklGR/],
  ["a photo's bytes in hexadecimal", /\bffd8ff[0-9a-f]{2}|89504e470d0a|52494646[0-9a-f]{8}57454250/i],
];

/** Names what a text gives away that no log may hold. The text is Latin-1, so that bytes are characters. */
export function findLeaks(text: string): string[] {
  return forbidden.filter(([, pattern]) => pattern.test(text)).map(([what]) => what);
}
