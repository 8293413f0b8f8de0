import { readPagePart } from "../../pages/page-part.ts";
import { html, trusted } from "../../shared/html.ts";

/** Marks a page as a gallery. */
export const generator = '<meta name="generator" content="edge-caption gallery">';

/** Draws what comes before the cards. The page asks nothing of any host. */
export function drawPageHead({ title }: { title: string }): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${trusted(generator)}
<title>${title}: captions</title>
<style>${readPagePart(new URL("./browser/gallery.css", import.meta.url))}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p id="summary">Photos and their captions. Click a caption to correct it.</p>
</header>
<div class="bar" role="toolbar" aria-label="Photos">
<input id="search" type="search" placeholder="Search captions and names" aria-label="Search captions and names">
<select id="order" aria-label="Order"><option value="found">As found</option><option value="least">Least sure first</option><option value="most">Surest first</option></select>
<label class="only"><input id="only-edited" type="checkbox"> Corrected</label>
<span id="count" role="status"></span>
<button id="download" type="button">Download CSV</button>
</div>
<noscript><p>Searching and correcting need JavaScript.</p></noscript>
<main id="cards">
`.text;
}

/** Draws what comes after the cards. */
export function drawPageFoot(): string {
  return html`</main>
<p id="none" hidden>No photo matches.</p>
<footer><p>Corrections stay in this browser until they are downloaded. Then: <code>edge-caption apply corrected.csv --embed</code>, or <code>--xmp</code>, or <code>--txt</code>.</p></footer>
<script>${readPagePart(new URL("./browser/gallery.ts", import.meta.url))}</script>
</body>
</html>
`.text;
}
