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
