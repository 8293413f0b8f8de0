import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  type Architecture,
  classicArchives,
  type Kind,
  type LibraryPin,
  libraryWheels,
  sha256OfFile,
} from "./checksums.ts";
import type { SetupRequest } from "./command.ts";
import { detectKind } from "./machine.ts";

/** The address from which tfjs-node-gpu 4.22.0 fetches TensorFlow (its scripts/install.js). */
const classicPlace = "https://storage.googleapis.com/tensorflow/libtensorflow/";

/** The place of something that holds TensorFlow's library. */
type Place =
  | { from: "index"; package: string; version: string }
  | { from: "url"; url: string }
  | { from: "file"; path: string }
  | { from: "folder"; path: string };

/** The source of TensorFlow's library, known before anything is fetched. */
export interface Source {
  place: Place;
  kind: Kind;
  /** Undefined if its contents are unchecked, which `--unpinned` allows. */
  pin: LibraryPin | undefined;
  /** Name of its folder in the cache: the same for the same library. */
  name: string;
}

/** Names a source. `identity` distinguishes sources without a pin. */
function nameSource({ kind, pin, identity }: Pick<Source, "kind" | "pin"> & { identity: string }): string {
  if (pin !== undefined) return `${kind}-${pin.version}-${pin.sha256.slice(0, 12)}`;
  return `${kind}-unpinned-${createHash("sha256").update(identity).digest("hex").slice(0, 12)}`;
}

/** Describes in a line what is about to be set up. */
export function describeSource({ kind, pin, place }: Source): string {
  const version = pin?.version ?? (place.from === "index" ? place.version : "of an unknown version");
  return `TensorFlow ${version} for ${kind === "gpu" ? "NVIDIA GPUs" : "the CPU"}`;
}

type Request = Pick<SetupRequest, "kind" | "version" | "from" | "isClassic" | "isUnpinned"> & {
  architecture: Architecture;
  signal: AbortSignal;
};

/** Picks the source: `--from`, else `--classic`, else the package index. Throws a sentence if there is none. */
export async function chooseSource({ from, isClassic, ...request }: Request): Promise<Source> {
  if (from !== undefined) return chooseGiven(from, request);
  const choice = { ...request, kind: request.kind ?? detectKind() };
  return isClassic ? chooseClassic(choice) : chooseWheel(choice);
}

interface Choice {
  kind: Kind;
  /** TensorFlow's version. */
  version: string;
  architecture: Architecture;
  isUnpinned: boolean;
}

function chooseWheel({ kind, version, architecture, isUnpinned }: Choice): Source {
  if (architecture === "aarch64" && kind === "gpu")
    throw new Error(
      "expected x86_64 for --gpu, this machine is aarch64, for which no TensorFlow wheel has it: use --cpu",
    );
  const name = architecture === "x86_64" && kind === "cpu" ? "tensorflow-cpu" : "tensorflow";
  const pin = libraryWheels.find(
    (wheel) => wheel.package === name && wheel.version === version && wheel.architecture === architecture,
  );
  if (pin === undefined && !isUnpinned) {
    const versions = new Set(libraryWheels.map((wheel) => wheel.version));
    throw new Error(
      `expected TensorFlow ${[...versions].join(" or ")}, received ${version}, whose hash is not pinned: --unpinned accepts it unchecked`,
    );
  }
  const place = { from: "index", package: name, version } as const;
  return { place, kind, pin, name: nameSource({ kind, pin, identity: `${name} ${version} ${architecture}` }) };
}

function chooseClassic({ kind, architecture }: Choice): Source {
  const pin = classicArchives.find((archive) => archive.kind === kind && archive.architecture === architecture);
  if (pin === undefined) throw new Error(`expected x86_64 for --classic, this machine is ${architecture}`);
  const url = `${classicPlace}${pin.file}`;
  return { place: { from: "url", url }, kind, pin, name: nameSource({ kind, pin, identity: url }) };
}

interface GivenRequest {
  /** Kind of a source without a pin; undefined: for GPUs if this machine has one. */
  kind: Kind | undefined;
  architecture: Architecture;
  isUnpinned: boolean;
  signal: AbortSignal;
}

/**
 * Finds the source that `--from` names: a URL, a file or a folder. A file is recognised by its hash or its name. An
 * unknown file needs `--unpinned`, and so does every folder.
 */
async function chooseGiven(given: string, { isUnpinned, ...request }: GivenRequest): Promise<Source> {
  const { place, pin, identity } = await locate(given, request);
  if (pin === undefined && !isUnpinned)
    throw new Error(`${given}: no hash is pinned for it: --unpinned accepts it unchecked, if you trust it`);
  const kind = pin?.kind ?? request.kind ?? detectKind();
  return { place, kind, pin, name: nameSource({ kind, pin, identity }) };
}

interface Located {
  place: Place;
  pin: LibraryPin | undefined;
  /** Distinguishes it from other sources without a pin. */
  identity: string;
}

async function locate(given: string, { architecture, signal }: Omit<GivenRequest, "isUnpinned">): Promise<Located> {
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
