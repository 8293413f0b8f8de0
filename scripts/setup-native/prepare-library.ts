import { existsSync } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { say } from "../../terminal/progress.ts";
import { buildBinding, readBindingVersion } from "./build-binding.ts";
import { inStaging, publish } from "./cache.ts";
import { type FetchContext, fetchLibrary } from "./fetch-library.ts";
import { layOutLibrary } from "./lay-out-library.ts";
import type { Source } from "./source.ts";
import { expectToolchain } from "./toolchain.ts";

export interface Preparation extends FetchContext {
  packageFolder: string;
  isForced: boolean;
}

/** The folder in the cache with the library and the binding that is built for it; made whole or not at all. */
export async function prepareLibrary(source: Source, preparation: Preparation): Promise<string> {
  const { cache, packageFolder, isForced, signal } = preparation;
  const root = join(cache.libraries, `${source.name}-tfjs-${await readBindingVersion(packageFolder)}`);
  if (existsSync(root) && !isForced) {
    say(`set up already in ${root}`);
    return root;
  }
  expectToolchain(); // before anything large is fetched
  const from = await fetchLibrary(source, preparation);
  await inStaging(cache.libraries, async (stage) => {
    await layOutLibrary(from, { root: stage, signal });
    await buildBinding({ packageFolder, root: stage, logPath: join(cache.libraries, "build.log"), signal });
    await chmod(stage, 0o755); // a service under another account reads it
    if (isForced) await rm(root, { recursive: true, force: true });
    await publish(stage, root);
  });
  return root;
}
