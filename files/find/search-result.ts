import { extname } from "node:path";
import type { RemotePhoto } from "../remote/address.ts";

/**
 * A file that is taken for a photo, or with `remote` one that is not on a disk of this machine, whose path is its address without
 * secrets; or a place without any and why.
 */
export type FoundPhoto = { path: string; remote?: RemotePhoto } | { path: string; error: string };

/** What a search passes over, in the words of its report, for one and for several. */
const words = {
  hidden: ["hidden", "hidden"],
  system: ["folder of trash, thumbnails or previews", "folders of trash, thumbnails or previews"],
  raw: ["raw photo", "raw photos"],
  video: ["video", "videos"],
  picture: ["picture in another format", "pictures in other formats"],
  link: ["link to a folder", "links to folders"],
  special: ["that is not a regular file", "that are not regular files"],
  other: ["object without a photo's extension", "objects without a photo's extension"],
  unchanged: ["older than --since", "older than --since"],
} as const;

type Kind = keyof typeof words;

/** Counts what a search for photos passes over, so that nobody has to wonder where photos are. */
export class PassedOver {
  readonly #counts = new Map<Kind, number>();

  add(kind: Kind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** Returns text like `passed over: 12 raw photos, 1 video`; undefined if nothing was passed over. */
  describe(): string | undefined {
    const counts = this.toJson();
    const parts = kinds.flatMap((kind) => {
      const count = counts[kind] ?? 0;
      return count === 0 ? [] : [`${count} ${words[kind][count === 1 ? 0 : 1]}`];
    });
    return parts.length === 0 ? undefined : `passed over: ${parts.join(", ")}`;
  }

  toJson(): Partial<Record<Kind, number>> {
    return Object.fromEntries(this.#counts);
  }
}

const kinds: readonly Kind[] = ["hidden", "system", "raw", "video", "picture", "link", "special", "other", "unchanged"];

const extensions: Partial<Record<Kind, ReadonlySet<string>>> = {
  raw: extensionSet(
    "3fr arw cr2 cr3 crw dcr dng erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f",
  ),
  video: extensionSet("3g2 3gp avi flv insv lrv m2ts m4v mkv mov mp4 mpeg mpg mts ogv vob webm wmv"),
  picture: extensionSet("bmp emf eps exr icns ico j2k jp2 jpf jxl jxr pcx pnm psb psd svg tga wmf xcf"),
};

/** Returns the kind that a name's extension says, of files that are not decoded; undefined for names that say none of them. */
export function otherKindOf(name: string): "raw" | "video" | "picture" | undefined {
  const extension = extname(name).toLowerCase();
  return (["raw", "video", "picture"] as const).find((kind) => extensions[kind]?.has(extension));
}

function extensionSet(names: string): ReadonlySet<string> {
  return new Set(names.split(" ").map((name) => `.${name}`));
}

/** Names, in lower case, of folders that systems, NAS and programs keep beside photos: trash, thumbnails, snapshots, leftovers. */
const systemNames = new Set([
  ...["$recycle.bin", "system volume information"], // Windows
  ...[".trashes", ".spotlight-v100", ".fseventsd", ".documentrevisions-v100", ".temporaryitems", "__macosx"], // macOS
  ...[".appledouble", "network trash folder", "temporary items"], // macOS, on other disks
  ...["lost+found", ".thumbnails", ".trash", ".dtrash", ".recycle", ".snapshot", ".snapshots", "~snapshot"], // Linux, Android, Samba
  ...["@eadir", "@tmp", "@sharebin", "#recycle", "#snapshot"], // Synology
  ...["@recycle", "@recently-snapshot", ".@__thumb", ".@upload_cache", ".streams"], // QNAP
  ...["trashbox", ".picasaoriginals", ".stversions", "files_trashbin", "files_versions"], // Buffalo, Picasa, Syncthing, Nextcloud
]);

/** Names of Lightroom's previews, a disk's trash for one user, what chkdsk found, and Nextcloud's previews. */
const systemPatterns = /\.(lrdata|lrcat-data|cocatalogdb)$|^\.trash-\d+$|^found\.\d{3}$|^appdata_/;

/** Names of libraries that look like files on macOS: few of their folders hold photos, many hold derivatives. */
const libraries = /\.(photoslibrary|photolibrary|migratedphotolibrary|aplibrary)$/;
const originals = new Set(["originals", "masters", "originals.noindex"]);

/**
 * Whether a folder holds what a system or a program keeps of photos, and none of a person's own: captions there would be for
 * what was thrown away, or for small copies. A search still enters such a folder when it is named.
 */
export function isSystemFolder(name: string, { within }: { within: string }): boolean {
  const small = name.toLowerCase();
  if (libraries.test(within.toLowerCase())) return !originals.has(small);
  return /^RECYCLE[RD]$/.test(name) || systemNames.has(small) || systemPatterns.test(small);
}
