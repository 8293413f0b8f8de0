import type { Operation, Parameter } from "../../edge/openapi/operations.ts";
import { html, type Markup } from "../../shared/html.ts";

export interface Route {
  method: string;
  path: string;
  operation: Operation;
}

/** What a body of JSON starts as. */
const firstBodies: Readonly<Record<string, string>> = { lookUpCaptions: '{ "ids": ["sha256:…"] }' };

/** The form that tries an operation; `edge/page/docs.ts` sends it. */
export function renderTry({ method, path, operation }: Route): Markup {
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
