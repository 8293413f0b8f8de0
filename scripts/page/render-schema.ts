import type { JsonSchema } from "../../edge/openapi/schemas.ts";
import { html, type Markup } from "../../shared/html.ts";

/** A named schema: its fields, one a line, those of objects within it under their path. */
export function renderSchema(name: string, schema: JsonSchema): Markup {
  const fields = fieldsOf(schema, "");
  const body =
    fields.length === 0
      ? html`<p>${typeOf(schema)}</p>`
      : html`<table class="stacked">
          <thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">What</th></tr></thead>
          <tbody>${fields.map(renderField)}</tbody>
        </table>`;
  return html`<details class="schema" id="schema-${name}">
    <summary><h3>${name}</h3></summary>
    ${prose(schema.description)}
    ${body}
  </details>`;
}

interface Field {
  path: string;
  isRequired: boolean;
  schema: JsonSchema;
}

function renderField({ path, isRequired, schema }: Field): Markup {
  return html`<tr>
    <th scope="row"><code>${path}</code>${isRequired ? "" : html` <small>optional</small>`}</th>
    <td>${typeOf(schema)}</td>
    <td>${prose(schema.description)}</td>
  </tr>`;
}

function fieldsOf(schema: JsonSchema, prefix: string): Field[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(objectOf(schema.properties)).flatMap(([name, value]) => {
    const field = { path: `${prefix}${name}`, isRequired: required.includes(name), schema: objectOf(value) };
    const inner = field.schema.type === "array" ? objectOf(field.schema.items) : field.schema;
    const suffix = field.schema.type === "array" ? "[]." : ".";
    return [field, ...fieldsOf(inner, `${field.path}${suffix}`)];
  });
}

/** A schema's type in words; a named one as a link to it. */
export function typeOf(schema: JsonSchema): Markup {
  const { $ref, anyOf, type, items, enum: choices, const: only, pattern, additionalProperties } = schema;
  if (typeof $ref === "string") {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (Array.isArray(anyOf))
    return html`${anyOf.map((option, index) => html`${index === 0 ? "" : " or "}${typeOf(option)}`)}`;
  if (Array.isArray(choices))
    return html`${choices.map((choice, index) => html`${index === 0 ? "" : ", "}<code>${String(choice)}</code>`)}`;
  if (only !== undefined) return html`<code>${JSON.stringify(only)}</code>`;
  if (type === "array") return html`list of ${typeOf(objectOf(items))}`;
  if (typeof pattern === "string") return html`text like <code>${pattern}</code>`;
  const values = objectOf(additionalProperties);
  if (type === "object" && Object.keys(values).length > 0) return html`${typeOf(values)} by name`;
  return html`${type === "string" ? "text" : String(type ?? "anything")}${rangeOf(schema)}`;
}

function rangeOf({ minimum, maximum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  if (maximum !== undefined) return `, at most ${maximum}`;
  return minimum === undefined ? "" : `, at least ${minimum}`;
}

function objectOf(value: unknown): JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** The contract's descriptions as markup: paragraphs, and code between backticks, which is all the Markdown they use. */
export function prose(text: unknown): Markup {
  if (typeof text !== "string") return html``;
  return html`${text.split("\n\n").map((paragraph) => html`<p>${inline(paragraph)}</p>`)}`;
}

/** A line of a description, without paragraphs. */
export function inline(text: string): Markup {
  return html`${text.split("`").map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`))}`;
}
