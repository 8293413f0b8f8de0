import { terminalText } from "../shared/terminal-text.ts";

const sentences: Record<string, string> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EEXIST: "something else has that name",
  EISDIR: "it is a folder, expected a file",
  ENOTDIR: "a part of the path is a file, expected folders",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full: make room, or choose another place, and start again",
  EDQUOT: "your disk quota is used up: make room, or choose another place, and start again",
  EFBIG: "the disk allows no larger file: choose another place, and start again",
  ENAMETOOLONG: "the name is longer than the disk allows",
  ELOOP: "the links lead in a circle",
  EILSEQ: "the disk does not allow this name",
};

/** Errors that the next file would meet as well: a full, read-only or broken disk, or too many open files. */
const lasting = new Set(["ENOSPC", "EDQUOT", "EROFS", "EFBIG", "EIO", "EMFILE", "ENFILE"]);

/** Describes an error of the file system in one sentence with the file's path; undefined for any other error. */
export function describeFileError(error: unknown, { path }: { path?: string } = {}): string | undefined {
  if (!isFileError(error)) return undefined;
  const place = path ?? ("path" in error ? String(error.path) : undefined);
  const sentence = sentences[error.code];
  return place === undefined || sentence === undefined ? error.message : `${terminalText(place)}: ${sentence}`;
}

/** Describes an error of the file system without the path, for messages that name the file already; undefined for any other error. */
export function fileErrorReason(error: unknown): string | undefined {
  return isFileError(error) ? (sentences[error.code] ?? error.message) : undefined;
}

/** Whether an error is the file system's and concerns more than one file. */
export function isLastingFileError(error: unknown): boolean {
  return isFileError(error) && lasting.has(error.code);
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return isFileError(error) && error.code === "ENOENT";
}

/** Whether an error is the file system's. */
export function isFileError(error: unknown): error is Error & { code: string; syscall: unknown } {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error;
}

/** Thrown if one photo's caption cannot be written; the others continue. Its message is a sentence. */
export class UnfitForCaption extends Error {
  override readonly name = "UnfitForCaption";
}

/** Thrown if the output for all photos cannot be written, such as on a full disk: the run ends. Its message is a sentence. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}
