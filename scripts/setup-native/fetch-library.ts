import { basename, join } from "node:path";
import { say } from "../../terminal/progress.ts";
import { type Cache, expectSpace, inStaging, publish } from "./cache.ts";
import type { Architecture, FilePin } from "./checksums.ts";
import { downloadFile } from "./download.ts";
import { fetchWheel, type Wheel } from "./pip.ts";
import { describeBytes } from "./progress.ts";
import type { Source } from "./source.ts";
import { expectPinned, isPinned } from "./verify-file.ts";

export interface FetchContext {
  cache: Cache;
  architecture: Architecture;
  signal: AbortSignal;
}

/** Path of the wheel, archive or folder that holds the library, with the pinned hash where there is one. */
export async function fetchLibrary({ place, pin }: Source, context: FetchContext): Promise<string> {
  const { signal } = context;
  if (place.from === "index") {
    const file = pin?.file ?? `a wheel of ${place.package} ${place.version} for ${context.architecture}`;
    return keepWheel({ ...place, pin }, { ...context, advice: `fetch ${file} elsewhere and give it with --from` });
  }
  if (place.from === "url")
    return keepDownload({ ...context, pin, fetch: (folder) => downloadFile(place.url, { folder, signal }) });
  if (pin !== undefined) await expectPinned(place.path, { pin, signal });
  return place.path;
}

/** Path of a wheel in the cache, fetched through pip where it is not there. */
export async function keepWheel(wheel: Wheel, context: FetchContext & { advice: string }): Promise<string> {
  const fetch = (folder: string) => {
    const size = wheel.pin?.size === undefined ? "" : `, ${describeBytes(wheel.pin.size.bytes)}`;
    say(`fetching ${wheel.package} ${wheel.version} through pip${size}`);
    return fetchWheel(wheel, { ...context, folder });
  };
  return keepDownload({ ...context, pin: wheel.pin, fetch });
}

interface Download extends Pick<FetchContext, "signal"> {
  cache: Pick<Cache, "downloads">;
  pin: FilePin | undefined;
  /** Fetches the file into an empty folder and returns its path. */
  fetch(folder: string): Promise<string>;
}

/** Path of a file in the cache, fetched where it is not there. What is not the pinned file is not kept. */
export async function keepDownload({ cache: { downloads }, pin, signal, fetch }: Download): Promise<string> {
  if (pin !== undefined) {
    const kept = join(downloads, pin.file);
    if (await isPinned(kept, { pin, signal })) return kept;
    if (pin.size !== undefined) await expectSpace(downloads, { bytes: pin.size.bytes + pin.size.unpackedBytes });
  }
  return inStaging(downloads, async (folder) => {
    const fetched = await fetch(folder);
    if (pin !== undefined) await expectPinned(fetched, { pin, signal });
    const kept = join(downloads, pin?.file ?? basename(fetched));
    await publish(fetched, kept);
    return kept;
  });
}
