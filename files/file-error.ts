import { terminalText } from "../shared/terminal-text.ts";

const sentences: Record<string, string> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EEXIST: "there is something else of that name",
  EISDIR: "it is a folder, expected a file",
  ENOTDIR: "a part of the path is a file, expected folders",
  EROFS: "the disk may only be read",
  ENOSPC: "the disk is full: make room, or choose another place, and start again",
  EDQUOT: "your share of the disk is full: make room, or choose another place, and start again",
  EFBIG: "no larger file is allowed here: choose another place, and start again",
  ENAMETOOLONG: "the name is longer than the disk allows",
  ELOOP: "the links lead in a circle",
  EILSEQ: "the disk allows no such name",
};

/** What the next file would meet, too: a full disk, one that may only be read, a broken one, no more open files. */
const lasting = new Set(["ENOSPC", "EDQUOT", "EROFS", "EFBIG", "EIO", "EMFILE", "ENFILE"]);

/** What the file system said, in one sentence with the file's path; undefined for an error that is none of its. */
export function describeFileError(error: unknown, { path }: { path?: string } = {}): string | undefined {
  if (!isFileError(error)) return undefined;
  const place = path ?? ("path" in error ? String(error.path) : undefined);
  const sentence = sentences[error.code];
  return place === undefined || sentence === undefined ? error.message : `${terminalText(place)}: ${sentence}`;
}

/** The same without a path, for whoever names the file already. */
export function fileErrorReason(error: unknown): string | undefined {
  return isFileError(error) ? (sentences[error.code] ?? error.message) : undefined;
}

/** Whether the error is the file system's and concerns more than one file. */
export function isLastingFileError(error: unknown): boolean {
  return isFileError(error) && lasting.has(error.code);
}

/** Whether the error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return isFileError(error) && error.code === "ENOENT";
}

function isFileError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error;
}

/** One photo's caption cannot be written where it should stand; the others go on. Its message is a sentence. */
export class UnfitForCaption extends Error {
  override readonly name = "UnfitForCaption";
}

/** Something was written for all photos and cannot go on, such as on a full disk: the run stops. Its message is a sentence. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}
