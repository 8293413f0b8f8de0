/** Has the browser save a text as a file. */
export function download(name: string, { parts, type }: { parts: readonly string[]; type: string }): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([...parts], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href)); // once the browser has taken it
}
