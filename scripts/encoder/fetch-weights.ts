import type { KerasRelease } from "../../training/keras/release.ts";
import { openCacheFolder } from "../setup-native/cache.ts";
import { downloadFile, keepDownload } from "../setup-native/fetch-library.ts";

interface Source {
  release: KerasRelease;
  /** The folder on the web that has it. */
  address: string;
  /** The folder on this machine that keeps it. */
  cacheFolder: string;
  signal: AbortSignal;
}

/** Path of Keras' weights in the cache, fetched if they are not there. Throws a sentence if they cannot be fetched. */
export async function fetchWeights({ release, address, cacheFolder, signal }: Source): Promise<string> {
  const { file, sha256, bytes } = release;
  await openCacheFolder(cacheFolder);
  return keepDownload({
    cache: { downloads: cacheFolder },
    pin: { file, sha256, size: { bytes, unpackedBytes: 0 } },
    signal,
    fetch: (folder) => downloadFile(`${address}/${file}`, { folder, signal, flag: "--weights" }),
  });
}
