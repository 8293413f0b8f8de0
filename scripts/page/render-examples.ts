import type { Operation } from "../../edge/openapi/operations.ts";
import { html, type Markup } from "../../shared/html.ts";

export interface Route {
  method: string;
  path: string;
  operation: Operation;
}

const languages = ["curl", "fetch", "Python"] as const;

type Language = (typeof languages)[number];
type Snippets = Record<Language, string>;

/** What snippets have in the place of the deployment's address; `edge/page/docs.ts` puts the page's own there. */
const origin = "http://localhost:8787";

/** What examples send. */
const digestInFetch = `const digest = await crypto.subtle.digest("SHA-256", await photo.arrayBuffer());
const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
const id = \`sha256:\${hex.join("")}\`;`;
const chosenPhoto = `const [photo] = document.querySelector("input[type=file]").files;`;
const idInCurl = `id=sha256:$(openssl dgst -sha256 -r photo.jpg | cut -c 1-64)`;
const idInPython = `photo = Path("photo.jpg").read_bytes()
id = f"sha256:{sha256(photo).hexdigest()}"`;
const importsOfIds = `from hashlib import sha256
from pathlib import Path
import requests`;

/** Examples of operations that take a photo, or the id that is made from one. */
const snippetsById: Readonly<Record<string, Snippets>> = {
  captionPhoto: {
    curl: `curl -F image=@photo.jpg ${origin}/v1/captions`,
    fetch: `${chosenPhoto}
const response = await fetch("${origin}/v1/captions", { method: "POST", body: photo });
if (!response.ok) throw new Error((await response.json()).detail);
const { caption, confidence } = await response.json();`,
    Python: `import requests

with open("photo.jpg", "rb") as photo:
    response = requests.post("${origin}/v1/captions", files={"image": photo})
response.raise_for_status()
print(response.json()["caption"])`,
  },
  lookUpCaption: {
    curl: `${idInCurl}
curl ${origin}/v1/captions/$id`,
    fetch: `${chosenPhoto}
${digestInFetch}
const response = await fetch(\`${origin}/v1/captions/\${id}\`);
const result = response.ok ? await response.json() : undefined;`,
    Python: `${importsOfIds}

${idInPython}
response = requests.get(f"${origin}/v1/captions/{id}")
print(response.json()["caption"] if response.ok else "not captioned yet")`,
  },
  deleteCaption: {
    curl: `${idInCurl}
curl -X DELETE -H "Authorization: Bearer $KEY" ${origin}/v1/captions/$id`,
    fetch: `${chosenPhoto}
${digestInFetch}
const headers = { Authorization: \`Bearer \${key}\` };
await fetch(\`${origin}/v1/captions/\${id}\`, { method: "DELETE", headers });`,
    Python: `import os
${importsOfIds}

${idInPython}
headers = {"Authorization": f"Bearer {os.environ['KEY']}"}
requests.delete(f"${origin}/v1/captions/{id}", headers=headers).raise_for_status()`,
  },
  lookUpCaptions: {
    curl: `${idInCurl}
curl --json "{\\"ids\\": [\\"$id\\"]}" ${origin}/v1/captions/lookup`,
    fetch: `${chosenPhoto}
${digestInFetch}
const response = await fetch("${origin}/v1/captions/lookup", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ ids: [id] }),
});
const { found, missing } = await response.json();`,
    Python: `${importsOfIds}

${idInPython}
response = requests.post("${origin}/v1/captions/lookup", json={"ids": [id]})
print(response.json()["found"])`,
  },
};

/** The snippets of an operation, in each language; an operation that takes nothing is simply read. */
function snippetsOf({ path, operation }: Route): Snippets {
  return (
    snippetsById[operation.operationId] ?? {
      curl: `curl ${origin}${path}`,
      fetch: `const answer = await (await fetch("${origin}${path}")).json();`,
      Python: `import requests\n\nprint(requests.get("${origin}${path}").json())`,
    }
  );
}

/** An operation in each language, one at a time: radio buttons choose it, without a script. */
export function renderExamples(route: Route): Markup {
  const { operationId, summary } = route.operation;
  const snippets = snippetsOf(route);
  return html`<fieldset class="examples">
    <legend class="for-readers">Example: ${summary}</legend>
    ${languages.map(
      (language, index) =>
        html`<input class="for-readers" type="radio" name="example-${operationId}" id="${operationId}-${language}" value="${language}"${index === 0 ? html` checked` : ""} /><label for="${operationId}-${language}">${language}</label>`,
    )}
    ${languages.map((language) => html`<pre tabindex="0" data-language="${language}"><code>${withOrigin(snippets[language])}</code></pre>`)}
  </fieldset>`;
}

/** Marks the deployment's address, for the script to put the page's own in its place. */
function withOrigin(snippet: string): Markup {
  return html`${snippet.split(origin).map((part, index) => html`${index === 0 ? "" : html`<span class="origin">${origin}</span>`}${part}`)}`;
}
