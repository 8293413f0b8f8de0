/** Parses an http or https URL with nothing after its host and port, such as `https://captions.example.com`; undefined for any other text. */
export function parseOrigin(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined; // `URL.parse` is younger than the oldest browsers that the page is built for
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.href === `${url.origin}/` ? url : undefined;
}
