const sentences: Record<string, string> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder, expected a photo",
  EACCES: "it may not be read",
};

/** What the file system said of a file, in words; undefined for an error that is none of its. */
export function describeFileError(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  return sentences[String(error.code)] ?? error.message;
}
