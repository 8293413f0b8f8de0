import type { CaptionResult } from "./contract.ts";
import { describeWriter } from "./description-writer.ts";
import { html } from "./html.ts";
import { toHex } from "./photo-id.ts";

/** What XML 1.0 has no place for, escaped or not. */
const unfitForXml = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

/**
 * Writes an XMP sidecar with a photo's caption as its description, with keywords where the result has them. The fields are
 * those that `edge-caption caption --xmp` writes, so that it takes such a description for one of ours.
 */
export async function xmpPacket({ caption, keywords, model }: Pick<CaptionResult, "caption" | "keywords" | "model">) {
  const text = fitForXml(caption);
  const hash = toHex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const subject = keywords?.map(({ keyword }) => html`<rdf:li>${fitForXml(keyword)}</rdf:li>`) ?? [];
  const bag = html`<rdf:Bag>${subject}</rdf:Bag>`;
  const packet = html`<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:edgecaption="urn:edge-caption:fields:1">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">${text}</rdf:li></rdf:Alt></dc:description>
   <photoshop:CaptionWriter>${describeWriter(model, hash)}</photoshop:CaptionWriter>${
     subject.length === 0
       ? undefined
       : html`
   <dc:subject>${bag}</dc:subject>
   <edgecaption:Keywords>${bag}</edgecaption:Keywords>`
   }
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;
  return packet.text;
}

function fitForXml(text: string): string {
  return text.replace(unfitForXml, "\uFFFD").trim();
}
