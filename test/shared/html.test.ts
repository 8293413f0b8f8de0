import { expect, test } from "vitest";
import { html, trusted } from "../../shared/html.ts";

test("escapes texts in elements and attributes, and leaves markup as it is", () => {
  const hostile = `"><script>'&`;
  expect(html`<p title="${hostile}">${hostile}</p>`.text).toBe(
    '<p title="&#34;&#62;&#60;script&#62;&#39;&#38;">&#34;&#62;&#60;script&#62;&#39;&#38;</p>',
  );
  expect(html`<ul>${["<", "&"].map((text) => html`<li>${text}</li>`)}</ul>`.text).toBe(
    "<ul><li>&#60;</li><li>&#38;</li></ul>",
  );
  expect(html`${undefined}${0}${trusted("<b>")}${[["<"]]}`.text).toBe("0<b>&#60;");
});
