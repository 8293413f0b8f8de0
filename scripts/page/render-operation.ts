import type { Operation, Parameter } from "../../edge/openapi/operations.ts";
import { html, type Markup } from "../../shared/html.ts";
import { inline, prose, typeOf } from "./render-schema.ts";

/** One operation: what it takes, what it answers, and a form to try it with. */
export function renderOperation(route: Route): Markup {
  const { method, path, operation } = route;
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  return html`<article class="operation" id="${operationId}" aria-labelledby="${operationId}-title">
    <h3 id="${operationId}-title">${summary}</h3>
    <p class="route"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></p>
    ${prose(description)}
    ${parameters.length === 0 ? "" : renderParameters(parameters, operationId)}
    ${requestBody === undefined ? "" : renderBody(requestBody.content)}
    <h4>Answers</h4>
    <dl class="answers">${Object.entries(responses).map(([status, response]) => renderAnswer(status, response))}</dl>
    ${renderTry(route)}
  </article>`;
}

function renderParameters(parameters: readonly Parameter[], operationId: string): Markup {
  return html`<h4>Parameters</h4>
    <div class="scroll" tabindex="0" role="region" aria-label="Parameters of ${operationId}">
      <table>
        <thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">What</th></tr></thead>
        <tbody>${parameters.map(renderParameter)}</tbody>
      </table>
    </div>`;
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
  const types = Object.entries(content).map(([type, { schema }]) => {
    const isFile = type.startsWith("image/");
    return html`<li><code>${type}</code>${isFile ? "" : html`: ${describeBody(schema)}`}</li>`;
  });
  return html`<h4>Body</h4><ul class="bodies">${types}</ul>`;
}

function describeBody(schema: Parameter["schema"]): Markup {
  return "$ref" in schema ? typeOf(schema) : html`the photo in a field named <code>image</code>`;
}

function renderAnswer(status: string, { description, content = {} }: Operation["responses"][string]): Markup {
  const [json] = Object.values(content);
  const isRefusal = Number(status) >= 400;
  const example = json?.example === undefined ? "" : renderExample(json.example);
  return html`<dt><span class="status${isRefusal ? " refusal" : ""}">${status}</span></dt>
    <dd>${prose(description)}${json === undefined || isRefusal ? "" : html`<p>${typeOf(json.schema)}</p>`}${example}</dd>`;
}

function renderExample(example: unknown): Markup {
  return html`<details><summary>Example</summary><pre tabindex="0"><code>${JSON.stringify(example, null, 2)}</code></pre></details>`;
}

export interface Route {
  method: string;
  path: string;
  operation: Operation;
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
