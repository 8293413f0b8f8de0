import { readPagePart } from "../../pages/page-part.ts";
import { html, type Markup } from "../../shared/html.ts";
import { confidenceSection } from "./confidence-section.ts";
import { curveSection } from "./curve-section.ts";
import { countParameters } from "./describe-layers.ts";
import { grouped, range, times100 } from "./figures.ts";
import { modelSection } from "./model-section.ts";
import { photoSection } from "./photo-section.ts";
import type { ReportInput } from "./report-input.ts";
import { scoreSection } from "./score-section.ts";
import type { Section } from "./section.ts";
import { wordSection } from "./word-section.ts";

/** The whole report as one HTML file that asks nothing of any host. The same for the same input. */
export async function renderReport(input: ReportInput): Promise<string> {
  const sections = [
    scoreSection(input),
    await photoSection(input),
    confidenceSection(input),
    wordSection(input),
    curveSection(input),
    modelSection(input),
  ];
  const { model } = input.evaluation;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${model}: report</title>
<style>${readPagePart(new URL("./report.css", import.meta.url))}</style>
</head>
<body>
${head(input)}
${contents(sections)}
<main>
${sections.map(drawSection)}</main>
<footer><p>The photos and their captions belong to their authors: do not pass this file on without their permission.</p></footer>
</body>
</html>
`.text;
}

function head({ bundle, evaluation, split }: ReportInput): Markup {
  const { description, licence } = bundle.manifest;
  const beam = evaluation.searches.find(({ search }) => search === "beam 3");
  const decoderParameters = countParameters(bundle.readDecoder());
  const parameters = countParameters(bundle.readEncoder()) + decoderParameters;
  const tiles = [
    ...(beam === undefined
      ? []
      : [
          { name: "CIDEr, beam 3", value: times100(beam.cider), more: range(beam.intervals.cider) },
          { name: "BLEU-4, beam 3", value: times100(beam.bleu4), more: range(beam.intervals.bleu4) },
        ]),
    { name: "vocabulary", value: grouped(bundle.vocabulary.size), more: "words, padding included" },
    {
      name: "parameters",
      value: parameters < 1e6 ? grouped(parameters) : `${(parameters / 1e6).toFixed(1)} M`,
      more: `${grouped(decoderParameters)} in the decoder`,
    },
  ];
  return html`<header>
<h1>${evaluation.model}</h1>
<p class="small">revision <code>${evaluation.revision}</code>, ${licence}</p>
<p>${description}; scored on ${grouped(evaluation.photos)} photos of the ${split} split.</p>
<dl class="tiles">${tiles.map(
    ({ name, value, more }) => html`<div><dt>${name}</dt><dd>${value}<small>${more}</small></dd></div>
`,
  )}</dl>
</header>`;
}

function contents(sections: readonly Section[]): Markup {
  return html`<nav aria-label="Contents">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a> `)}</nav>`;
}

function drawSection({ id, title, body }: Section): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>
`;
}
