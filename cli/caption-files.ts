import { resolve } from "node:path";
import { pMapIterable } from "p-map";
import type { Captioner, PhotoCaption } from "../gpu-service/captioner.ts";
import type { CaptionOptions } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { describeFileError, readPhotoFile } from "./read-photo-file.ts";

export type FileOutcome = { path: string; result: PhotoCaption } | { path: string; error: string };

interface CaptionFilesRequest {
  captioner: Captioner;
  options: CaptionOptions;
  folder: string;
  atOnce: number;
}

/** Captions files, paths being relative to `folder`, `atOnce` of them under way at a time, and gives the outcomes in the order of the paths. */
export function captionFiles(
  paths: readonly string[],
  { captioner, options, folder, atOnce }: CaptionFilesRequest,
): AsyncIterable<FileOutcome> {
  const captionFile = async (path: string): Promise<FileOutcome> => {
    try {
      const bytes = await readPhotoFile(resolve(folder, path));
      const { caption } = await captioner.caption({ bytes, options });
      return { path, result: caption };
    } catch (error) {
      return { path, error: reasonOf(error) };
    }
  };
  return pMapIterable(paths, captionFile, { concurrency: atOnce });
}

/** What was wrong with one file; rethrows what concerns them all, such as an engine that died. */
function reasonOf(error: unknown): string {
  const reason = error instanceof CaptionError ? error.message : describeFileError(error);
  if (reason === undefined) throw error;
  return reason;
}
