import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What all files below a folder hold, as Latin-1 text, in which bytes are characters. */
export async function everyByteIn(folder: string): Promise<string> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  const texts = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")));
  return texts.join("\n");
}
