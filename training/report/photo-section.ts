import { resolve } from "node:path";
import { sha256Of } from "../../captioner/bundle.ts";
import { openPhoto } from "../../captioner/images/open-photo.ts";
import { readPhotoFile } from "../../files/read-photo-file.ts";
import { cleanCaption } from "../../shared/clean-caption.ts";
import { contentWords } from "../../shared/content-words.ts";
import { defaultMaxPixels } from "../../shared/contract.ts";
import { html, type Markup } from "../../shared/html.ts";
import { gapBetween, spaceWords } from "../../shared/word-boundaries.ts";
import type { RatedPhoto, ShownSearch } from "./captioned-photo.ts";
import { times100 } from "./figures.ts";
import { type ExamplePhotos, pickExamples } from "./pick-examples.ts";
import type { ReportInput } from "./report-input.ts";
import type { Section } from "./section.ts";

const kinds = [
  ["best", "Best"],
  ["worst", "Worst"],
  ["random", "Random"],
] as const satisfies [keyof ExamplePhotos, string][];

/** A model that has hardly been trained ends its captions at once. */
const noWords = "a caption without words";

/** Photos with what the model says of them and what people say. */
export async function photoSection(input: ReportInput): Promise<Section> {
  const { photos, split } = input;
  const parts: Markup[] = [];
  const examples = pickExamples(photos);
  for (const [kind, title] of kinds) {
    const cards: Markup[] = [];
    for (const photo of examples[kind]) cards.push(await card(photo, input));
    parts.push(html`<h3 id="photos-${kind}">${title}</h3>
<div class="cards">${cards}</div>
`);
  }
  return {
    id: "photos",
    title: "Photos",
    body: html`<p>Of the ${split} split: the best and the worst by CIDEr of beam 3, and some drawn at random, which are the ones to judge the model
by. CIDEr is the photo's own, times 100; a caption that shares no four words in a row with a reference may still be a good one. <span
class="unheard">Dotted</span> words are content words that no reference has.</p>
<p>${kinds.map(([kind, title]) => html`<a href="#photos-${kind}">${title}</a> `)}</p>
${parts}`,
  };
}

async function card(photo: RatedPhoto, input: ReportInput): Promise<Markup> {
  const { photoFolder, photos } = input.prepared;
  const prepared = photos.find(({ id }) => id === photo.id);
  const { source, width, height } = await makeThumbnail(resolve(photoFolder, photo.file), { sha256: prepared?.sha256 });
  return html`<article class="card">
<img src="${source}" width="${width}" height="${height}" alt="${photo["beam 3"] || noWords}" loading="lazy">
<dl>
${caption("beam 3", { photo, input })}${caption("greedy", { photo, input })}</dl>
<p class="small">References</p>
<ul>${photo.references.map((reference) => html`<li>${reference}</li>`)}</ul>
</article>
`;
}

function caption(search: ShownSearch, { photo, input }: { photo: RatedPhoto; input: ReportInput }): Markup {
  const confidence = photo.confidence?.[search];
  const figures = [
    `CIDEr ${times100(photo.cider[search])}`,
    ...(confidence === undefined ? [] : [`confidence ${times100(confidence)} %`]),
  ];
  const words = wordsOf(photo[search], { photo, input });
  return html`<dt>${search} <span>${figures.join(", ")}</span></dt>
<dd class="${search === "beam 3" ? "ours" : "other"}">${words}</dd>
`;
}

/** A caption, its content words marked that no reference has. */
function wordsOf(text: string, { photo, input }: { photo: RatedPhoto; input: ReportInput }): Markup | Markup[] {
  if (text === "") return html`<em>${noWords}</em>`;
  const { cleaning } = input.bundle.manifest;
  const known = new Set(photo.references.flatMap((reference) => cleanCaption(reference, cleaning)));
  const unheard = new Set(contentWords(cleanCaption(text, cleaning)).filter((word) => !known.has(word)));
  const words = spaceWords(text).trim().split(/ +/);
  return words.map((word, index) => {
    const gap = gapBetween(words[index - 1], word);
    return unheard.has(word) ? html`${gap}<span class="unheard">${word}</span>` : html`${gap}${word}`;
  });
}

/** Sharp on a phone, and thirty of them stay below a megabyte. */
const maxWidth = 320;
const jpegQuality = 78;

interface Thumbnail {
  /** A `data:` URI. */
  source: string;
  width: number;
  height: number;
}

/** A photo as a small JPEG, upright. Throws if it is no longer what was captioned. */
async function makeThumbnail(path: string, { sha256 }: { sha256: string | undefined }): Promise<Thumbnail> {
  const bytes = await readPhotoFile(path);
  if (sha256Of(bytes) !== sha256) {
    throw new Error(`${path}: has changed since prepare looked at it: run prepare and evaluate again`);
  }
  const photo = await openPhoto(bytes, { maxPixels: defaultMaxPixels });
  const { data, info } = await photo
    .resize({ width: maxWidth, withoutEnlargement: true })
    .jpeg({ quality: jpegQuality })
    .toBuffer({ resolveWithObject: true });
  return { source: `data:image/jpeg;base64,${data.toString("base64")}`, width: info.width, height: info.height };
}
