import { createReadStream, existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { cardOpening, thumbnailOpening } from "./card.ts";

/** Position of a thumbnail in the earlier gallery, in bytes. */
interface Place {
  offset: number;
  length: number;
}

/** The thumbnails of the gallery that is there already, by photo key. They stay on disk until they are asked for. */
export class EarlierThumbnails {
  readonly #places: ReadonlyMap<string, Place>;
  readonly #file: FileHandle | undefined;

  private constructor(places: ReadonlyMap<string, Place>, file: FileHandle | undefined) {
    this.#places = places;
    this.#file = file;
  }

  static async open(path: string): Promise<EarlierThumbnails> {
    if (!existsSync(path)) return new EarlierThumbnails(new Map(), undefined);
    return new EarlierThumbnails(await findThumbnails(path), await open(path));
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  async read(key: string): Promise<string | undefined> {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const read = await this.#file?.read(Buffer.alloc(place.length), 0, place.length, place.offset);
    return read?.buffer.toString("latin1");
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

async function findThumbnails(path: string): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  let [rest, restOffset] = ["", 0];
  for await (const chunk of createReadStream(path, { encoding: "latin1" })) {
    // Latin-1: a character a byte, and what is looked for is ASCII
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const found = thumbnailIn(line);
      if (found) places.set(found.key, { offset: restOffset + found.start, length: found.length });
      restOffset += line.length + 1;
    }
  }
  return places;
}

function thumbnailIn(line: string): { key: string; start: number; length: number } | undefined {
  if (!line.startsWith(cardOpening)) return undefined;
  const key = line.slice(cardOpening.length, line.indexOf('"', cardOpening.length));
  const start = line.indexOf(thumbnailOpening) + thumbnailOpening.length;
  return { key, start, length: line.indexOf('"', start) - start };
}
