import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { type Architecture, classicArchives, type Kind, type LibraryPin, libraryWheels } from "./checksums.ts";
import { detectKind } from "./machine.ts";
import { nameSource, type Place, type Source } from "./source.ts";
import { sha256OfFile } from "./verify-file.ts";

interface Request {
  /** Of what has no pin; undefined: for GPUs where one is seen. */
  kind: Kind | undefined;
  architecture: Architecture;
  isUnpinned: boolean;
  signal: AbortSignal;
}

/**
 * The source that `--from` names: a URL, a file or a folder. A file is known by its hash or its name; what is known by
 * neither needs `--unpinned`, and so does every folder.
 */
export async function chooseGiven(given: string, { isUnpinned, ...request }: Request): Promise<Source> {
  const { place, pin, identity } = await locate(given, request);
  if (pin === undefined && !isUnpinned)
    throw new Error(`${given}: no hash is pinned for it: --unpinned takes it unchecked, if you trust it`);
  const kind = pin?.kind ?? request.kind ?? detectKind();
  return { place, kind, pin, name: nameSource({ kind, pin, identity }) };
}

interface Located {
  place: Place;
  pin: LibraryPin | undefined;
  /** Tells it from everything else that has no pin. */
  identity: string;
}

async function locate(given: string, { architecture, signal }: Omit<Request, "isUnpinned">): Promise<Located> {
  const pins = [...libraryWheels, ...classicArchives].filter((pin) => pin.architecture === architecture);
  const pinOf = (name: string) => pins.find(({ file }) => file === name);
  if (/^https?:/.test(given)) {
    const pin = pinOf(basename(new URL(given).pathname));
    return { place: { from: "url", url: given }, pin, identity: given };
  }
  const stats = await readStats(given);
  if (stats.isDirectory())
    return { place: { from: "folder", path: given }, pin: undefined, identity: `${given} ${stats.mtimeMs}` };
  const hash = await sha256OfFile(given, signal);
  const pin = pins.find(({ sha256 }) => sha256 === hash) ?? pinOf(basename(given));
  return { place: { from: "file", path: given }, pin, identity: hash };
}

async function readStats(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    throw new Error(`--from ${path}: there is no such file or folder`, { cause });
  }
}
