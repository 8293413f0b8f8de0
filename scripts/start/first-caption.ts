import { type CaptionAnswer, CaptionClient } from "../../shared/client.ts";
import type { CaptionResult } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import { isUnsafeForTerminal, terminalText } from "../../shared/terminal-text.ts";
import type { Photo } from "./read-photo.ts";

/** Has the edge caption a photo. Throws a sentence that says why it did not. */
export async function captionAt(edge: string, photo: Photo, signal: AbortSignal): Promise<CaptionAnswer> {
  const body = new Blob([photo.bytes], { type: `image/${photo.format}` });
  try {
    return await new CaptionClient({ origin: edge }).caption(body, { signal });
  } catch (error) {
    throw error instanceof CaptionError ? new Error(`${photo.path}: ${error.message}`, { cause: error }) : error;
  }
}

interface Report extends Pick<CaptionAnswer, "isHit" | "headers"> {
  result: Pick<CaptionResult, "caption" | "confidence"> & { model: Pick<CaptionResult["model"], "id" | "revision"> };
  photo: Pick<Photo, "path" | "format">;
  edge: string;
  service: string;
}

/** What `npm start` prints: the caption, where it came from, and how to ask for the next. */
export function describeCaption({ result, isHit, headers, photo, edge, service }: Report): string {
  const source = isHit ? "from the cache" : "from the model";
  return `
  ${terminalText(result.caption)}

  confidence   ${result.confidence.toFixed(2)}, ${terminalText(`${source} (Cache-Status: ${headers.get("Cache-Status")})`)}
  photo        ${terminalText(photo.path)}
  model        ${terminalText(`${result.model.id}, revision ${result.model.revision}`)}
  edge         ${edge}
  service      ${service}

  curl -H 'Expect:' -H 'Content-Type: image/${photo.format}' --data-binary @${quoteForShell(photo.path)} ${edge}/v1/captions
`;
}

function quoteForShell(path: string): string {
  if (isUnsafeForTerminal(path)) return `$'${terminalText(path.replace(/[\\']/g, "\\$&"))}'`; // as bash reads it
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
