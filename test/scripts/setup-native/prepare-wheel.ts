import { nativePackageFolder } from "../../../captioner/engines/native-setup.ts";
import { openCache } from "../../../scripts/setup-native/cache.ts";
import { prepareLibrary } from "../../../scripts/setup-native/prepare-library.ts";

/** Prepares a wheel that has no pin; a process of its own when run with a wheel and a cache folder. */
export async function prepareWheel(path: string, { cacheFolder }: { cacheFolder: string }): Promise<string> {
  return prepareLibrary(
    { place: { from: "file", path }, kind: "cpu", pin: undefined, name: "made" },
    {
      cache: await openCache(cacheFolder),
      architecture: "x86_64",
      packageFolder: nativePackageFolder() ?? "",
      isForced: false,
      signal: new AbortController().signal,
    },
  );
}

const [, script, wheel, cacheFolder] = process.argv;
if (script === import.meta.filename && wheel !== undefined && cacheFolder !== undefined)
  await prepareWheel(wheel, { cacheFolder });
