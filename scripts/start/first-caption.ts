import { type CaptionResult, captionResultSchema } from "../../shared/contract.ts";
import { problemSchema } from "../../shared/problem.ts";
import type { Photo } from "./read-photo.ts";

export interface FirstCaption {
  result: CaptionResult;
  /** RFC 9211, as the edge sent it. */
  cacheStatus: string;
}

/** Has the edge caption a photo. Throws a sentence that says why it did not. */
export async function captionAt(edge: string, photo: Photo, signal: AbortSignal): Promise<FirstCaption> {
  const headers = { "Content-Type": `image/${photo.format}` };
  const response = await fetch(`${edge}/v1/captions`, { method: "POST", headers, body: photo.bytes, signal });
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(`${photo.path}: ${problemSchema.parse(body).detail}`);
  return { result: captionResultSchema.parse(body), cacheStatus: response.headers.get("Cache-Status") ?? "" };
}

interface Report extends FirstCaption {
  photo: Photo;
  edge: string;
  service: string;
}

/** What `npm start` prints: the caption, where it came from, and how to ask for the next. */
export function describeCaption({ result, cacheStatus, photo, edge, service }: Report): string {
  const source = /;\s*hit/.test(cacheStatus) ? "from the cache" : "from the model";
  return `
  ${result.caption}

  confidence   ${result.confidence.toFixed(2)}, ${source} (Cache-Status: ${cacheStatus})
  photo        ${photo.path}
  model        ${result.model.id}, revision ${result.model.revision}
  edge         ${edge}
  service      ${service}

  curl -H 'Expect:' -H 'Content-Type: image/${photo.format}' --data-binary @${quoteForShell(photo.path)} ${edge}/v1/captions
`;
}

function quoteForShell(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
