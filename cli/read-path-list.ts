/**
 * The paths of a list: one a line, of Windows or Unix, or with `isNulSeparated` one up to each NUL, as `find -print0`
 * writes them; empty ones are passed over.
 */
export async function* readPathList(
  input: AsyncIterable<string | Uint8Array>,
  { isNulSeparated }: { isNulSeparated: boolean },
): AsyncGenerator<string> {
  const separator = isNulSeparated ? "\0" : "\n";
  const tidy = (path: string) => (isNulSeparated ? path : path.replace(/\r$/, ""));
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of input) {
    const text = rest + (typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
    const paths = text.split(separator);
    rest = paths.pop() ?? "";
    for (const path of paths.map(tidy)) if (path !== "") yield path;
  }
  if (tidy(rest) !== "") yield tidy(rest);
}
