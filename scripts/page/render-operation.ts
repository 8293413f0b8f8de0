import type { Operation, Parameter } from "../../edge/openapi/operations.ts";
import { html, type Markup } from "../../shared/html.ts";
import { type Route, renderExamples } from "./render-examples.ts";
import { inline, prose, typeOf } from "./render-schema.ts";

/** One operation: what it takes, what it answers, and a form to try it with. */
export function renderOperation(route: Route): Markup {
  const { method, path, operation } = route;
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  return html`<article class="operation" id="${operationId}" aria-labelledby="${operationId}-title">
    <h3 id="${operationId}-title">${summary}</h3>
    <p class="route"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></p>
    ${prose(description)}
    ${renderExamples(route)}
    ${parameters.length === 0 ? "" : renderParameters(parameters)}
    ${requestBody === undefined ? "" : renderBody(requestBody.content)}
    <h4>Answers</h4>
    <dl class="answers">${Object.entries(responses).map(([status, response]) => renderAnswer(status, response))}${renderRefusals(Object.keys(responses))}</dl>
    ${renderTry(route)}
  </article>`;
}

function renderParameters(parameters: readonly Parameter[]): Markup {
  return html`<h4>Parameters</h4>
    <table class="stacked">
      <thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">What</th></tr></thead>
      <tbody>${parameters.map(renderParameter)}</tbody>
    </table>`;
}

function renderParameter({ name, in: place, schema, description }: Parameter): Markup {
  const usual = schema.default === undefined ? "" : html`; <code>${String(schema.default)}</code> if left out`;
  return html`<tr>
    <th scope="row"><code>${name}</code> <small>${place}</small></th>
    <td>${typeOf(schema)}${usual}</td>
    <td>${inline(description)}</td>
  </tr>`;
}

function renderBody(content: NonNullable<Operation["requestBody"]>["content"]): Markup {
  const isFile = ({ schema }: { schema: Parameter["schema"] }) => schema.format === "binary";
  const entries = Object.entries(content);
  const files = entries
    .filter(([, body]) => isFile(body))
    .map(([type], index) => html`${index === 0 ? "" : ", "}<code>${type}</code>`);
  const others = entries.filter(([, body]) => !isFile(body));
  return html`<h4>Body</h4>
    <ul class="bodies">
      ${files.length === 0 ? "" : html`<li>${files}: the file</li>`}
      ${others.map(([type, { schema }]) => html`<li><code>${type}</code>: ${describeBody(schema)}</li>`)}
    </ul>`;
}

function describeBody(schema: Parameter["schema"]): Markup {
  return "$ref" in schema ? typeOf(schema) : html`the photo in a field named <code>image</code>`;
}

function renderAnswer(status: string, { description, content = {} }: Operation["responses"][string]): Markup {
  if (isRefusal(status)) return html``;
  const [json] = Object.values(content);
  const example = json?.example === undefined ? "" : renderExample(json.example);
  return html`<dt><span class="status">${status}</span></dt>
    <dd><p>${inline(description)}${json !== undefined && "$ref" in json.schema ? html` ${typeOf(json.schema)}` : ""}</p>${example}</dd>`;
}

/** The statuses of refusals; one table of the page says what each of them means. */
function renderRefusals(statuses: readonly string[]): Markup {
  const links = statuses
    .filter(isRefusal)
    .map((status) => html`<a class="status" href="#error-${status}">${status}</a> `);
  return html`<dt><span class="status refusal">Errors</span></dt><dd><p class="refusals">${links}</p></dd>`;
}

function isRefusal(status: string): boolean {
  return Number(status) >= 400;
}

function renderExample(example: unknown): Markup {
  return html`<details><summary>Example</summary><pre tabindex="0"><code>${JSON.stringify(example, null, 2)}</code></pre></details>`;
}

/** What a body of JSON starts as. */
const firstBodies: Readonly<Record<string, string>> = { lookUpCaptions: '{ "ids": ["sha256:…"] }' };

/** The form that tries an operation; `edge/page/docs.ts` sends it. */
function renderTry({ method, path, operation }: Route): Markup {
  const { operationId, summary, parameters = [], requestBody } = operation;
  const takesPhoto = requestBody !== undefined && "image/jpeg" in requestBody.content;
  const fields = [
    ...(takesPhoto
      ? [html`<label>Photo <input type="file" name="photo" data-place="photo" accept="image/*" required /></label>`]
      : []),
    ...parameters.map((parameter) => renderField(parameter)),
    ...(requestBody !== undefined && !takesPhoto
      ? [
          html`<label class="wide">Body <textarea name="body" data-place="body" rows="3" spellcheck="false">${firstBodies[operationId]}</textarea></label>`,
        ]
      : []),
  ];
  return html`<details class="try">
    <summary>Try it<span class="for-readers">: ${summary}</span></summary>
    <form data-method="${method}" data-path="${path}">
      ${fields}
      <button type="submit">Send</button>
    </form>
    <div class="reply" aria-live="polite"></div>
  </details>`;
}

function renderField({ name, in: place, required, schema }: Parameter): Markup {
  const usual = schema.default === undefined ? "" : String(schema.default);
  const isNumber = schema.type === "integer";
  const limits = isNumber ? html` min="${Number(schema.minimum)}" max="${Number(schema.maximum)}"` : "";
  return html`<label${name === "id" ? html` class="wide"` : ""}>${name} <input type="${isNumber ? "number" : "text"}" name="${name}" data-place="${place}" value="${usual}" autocomplete="off" spellcheck="false"${limits}${required === true ? html` required` : ""} /></label>`;
}
