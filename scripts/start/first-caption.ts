import { resolve } from "node:path";
import { readPhotoFile, unfitReason } from "../../files/read-photo-file.ts";
import { type CaptionAnswer, CaptionClient } from "../../shared/client.ts";
import { type CaptionResult, defaultMaxBytes } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import { type ImageFormat, readImageHeader } from "../../shared/image-header.ts";
import { isUnsafeForTerminal, terminalText } from "../../shared/terminal-text.ts";

export interface FirstPhoto {
  /** Path as it was given. */
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
  format: ImageFormat;
}

/** Reads a photo and looks at its header, so that what is no photo is known before anything is started. */
export async function readPhoto(path: string, { folder }: { folder: string }): Promise<FirstPhoto> {
  try {
    const bytes = await readPhotoFile(resolve(folder, path));
    const { format } = readImageHeader(bytes);
    if (bytes.length <= defaultMaxBytes) return { path, bytes, format };
    throw new Error(`expected a photo of at most ${defaultMaxBytes} bytes, received ${bytes.length}`);
  } catch (cause) {
    throw new Error(`${path}: ${unfitReason(cause) ?? (cause instanceof Error ? cause.message : cause)}`, {
      cause,
    });
  }
}

/** Has the edge caption a photo. Throws a sentence that says why it did not. */
export async function captionAt(edge: string, photo: FirstPhoto, signal: AbortSignal): Promise<CaptionAnswer> {
  const body = new Blob([photo.bytes], { type: `image/${photo.format}` });
  try {
    return await new CaptionClient({ origin: edge }).caption(body, { signal });
  } catch (error) {
    throw error instanceof CaptionError ? new Error(`${photo.path}: ${error.message}`, { cause: error }) : error;
  }
}

interface Report extends Pick<CaptionAnswer, "isHit" | "headers"> {
  result: Pick<CaptionResult, "caption" | "confidence"> & { model: Pick<CaptionResult["model"], "id" | "revision"> };
  photo: Pick<FirstPhoto, "path" | "format">;
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
