import type { OpenApiDocument } from "../../edge/openapi/document.ts";
import type { Operation } from "../../edge/openapi/operations.ts";
import { errorFacts } from "../../shared/errors.ts";
import { html, type Markup, trusted } from "../../shared/html.ts";
import type { Route } from "./render-examples.ts";
import { renderOperation } from "./render-operation.ts";
import { inline, prose, renderSchema } from "./render-schema.ts";

/** The contract as a page to read: plain HTML, so that it needs neither a connection nor a script, but for trying a request. */
export function renderDocs({ info, tags, paths, components }: OpenApiDocument): string {
  const routes = routesOf(paths);
  const groups = tags.map((tag) => ({
    ...tag,
    routes: routes.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const schemas = Object.entries(components.schemas);
  const page = html`${head(`${info.title}: the API`)}
    <body>
      <a class="skip" href="#main">Skip to the contract</a>
      <header class="masthead">
        <a class="wordmark" href="/">${mark}edge-caption</a>
        <nav aria-label="Elsewhere"><a href="/">Captions</a> <a href="/openapi.json">OpenAPI</a></nav>
      </header>
      <div class="columns">
        <nav class="contents" aria-label="Contents">
          ${groups.map(
            (group) => html`<h2><a href="#tag-${group.name}">${group.name}</a></h2>
              <ul>${group.routes.map(({ operation }) => html`<li><a href="#${operation.operationId}">${operation.summary}</a></li>`)}</ul>`,
          )}
          <h2><a href="#errors">Errors</a></h2>
          <h2><a href="#schemas">Schemas</a></h2>
          <ul>${schemas.map(([name]) => html`<li><a href="#schema-${name}">${name}</a></li>`)}</ul>
        </nav>
        <main id="main" tabindex="-1">
          <h1>The API</h1>
          ${prose(info.description)}
          ${quickStart}
          ${groups.map(
            (group) => html`<section aria-labelledby="tag-${group.name}">
              <h2 id="tag-${group.name}">${group.name}</h2>
              ${group.routes.map(renderOperation)}
            </section>`,
          )}
          ${renderErrors()}
          <section aria-labelledby="schemas">
            <h2 id="schemas">Schemas</h2>
            ${schemas.map(([name, schema]) => renderSchema(name, schema))}
          </section>
        </main>
      </div>
    </body>
  </html>`;
  return page.text;
}

function routesOf(paths: Record<string, Partial<Record<string, Operation>>>): Route[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) =>
      operation === undefined ? [] : [{ method, path, operation }],
    ),
  );
}

function head(title: string): Markup {
  return html`${trusted("<!doctype html>")}
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title}</title>
      <meta name="color-scheme" content="light dark" />
      <link rel="icon" href="/icon.svg" type="image/svg+xml" />
      <link rel="stylesheet" href="docs.css" />
      <script type="module" src="docs.ts"></script>
    </head>`;
}

const mark = html`<svg class="mark" aria-hidden="true" viewBox="0 0 24 24"><rect x="3" y="2" width="18" height="13" rx="1.5" /><path d="M3.5 12.5l5-4.5 4 3.5 3-2.5 5 3.5M3 19h8.5M15 19h6M3 22.5h5M11.5 22.5h4" /></svg>`;

/** All codes in one table. A status' first row is where the operations' links lead. */
function renderErrors(): Markup {
  const codes = Object.entries(errorFacts).sort(([, one], [, other]) => one.status - other.status);
  const rows = codes.map(([code, { status, meaning, retry }], index) => {
    const isFirst = codes[index - 1]?.[1].status !== status;
    return html`<tr${isFirst ? html` id="error-${status}"` : ""}>
      <th scope="row"><span class="status refusal">${status}</span> <code>${code}</code></th>
      <td>${inline(meaning)}</td>
      <td>${triesAgain[retry]}</td>
    </tr>`;
  });
  return html`<section aria-labelledby="errors">
    <h2 id="errors">Errors</h2>
    <div class="operation">
      <p>An error is a problem document (RFC 9457): <code>code</code> is one of these, <code>detail</code> says what was expected and what was received, <code>requestId</code> finds the request in the log. <a href="#schema-Problem">Problem</a></p>
      <table class="stacked errors">
        <thead><tr><th scope="col">Code</th><th scope="col">Meaning</th><th scope="col">Again</th></tr></thead>
        <tbody>${rows}</tbody>
      </table>
    </div>
  </section>`;
}

/** Whether the same request may be answered at another time. */
const triesAgain = {
  never: "Sending it again does not help.",
  maybe: "Sending it again may help.",
  later: html`Send it again after the seconds of <code>Retry-After</code>.`,
} as const;

const quickStart = html`<div class="quick">
  <form class="key"><label>API key, where this deployment asks for one <input type="password" id="key" autocomplete="off" /></label></form>
</div>`;
