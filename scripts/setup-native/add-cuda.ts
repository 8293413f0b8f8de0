import { existsSync } from "node:fs";
import { chmod, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expectSpace, inStaging, publish } from "./cache.ts";
import { cudaWheels } from "./checksums.ts";
import { type FetchContext, keepWheel, type Wheel } from "./fetch-library.ts";
import { unpackZip } from "./unpack-zip.ts";

/** A compiler for XLA, whose libraries TensorFlow never loads. */
const unused = "nvidia-cuda-nvcc";
const requirement = /^Requires-Dist: (nvidia-[\w-]+).*?>=([\d.]+).*extra == "and-cuda"/;

interface CudaRequest extends FetchContext {
  /** Folder of the library, whose wheel names the packages. */
  root: string;
  isUnpinned: boolean;
}

/**
 * Fetches the CUDA and cuDNN libraries that the wheel names as its extra `and-cuda`, into the folder that the library's
 * run path searches. Only cuDNN searches for NVRTC elsewhere.
 */
export async function addCuda({ root, isUnpinned, ...context }: CudaRequest): Promise<void> {
  const folder = cudaFolder(root);
  if (!existsSync(folder)) await unpackCuda(folder, { wheels: await readWheels({ root, isUnpinned }), ...context });
}

/** Lists the folders of the CUDA and cuDNN libraries that were fetched for a root. */
export async function listCuda(root: string): Promise<string[]> {
  const names = existsSync(cudaFolder(root)) ? await readdir(cudaFolder(root)) : [];
  return names.sort().map((name) => join(cudaFolder(root), name, "lib"));
}

function cudaFolder(root: string): string {
  return join(root, "deps/nvidia");
}

/** Reads which wheels the library needs, each in the lowest version that it accepts, which it was built with. */
async function readWheels({ root, isUnpinned }: Pick<CudaRequest, "root" | "isUnpinned">): Promise<Wheel[]> {
  const metadata = await readFile(join(root, "METADATA"), "utf8").catch((cause: unknown) => {
    throw new Error("expected TensorFlow from a wheel for --with-cuda: nothing else names the CUDA packages it needs", {
      cause,
    });
  });
  const wheels = metadata.split("\n").flatMap((line): Wheel[] => {
    const [, name = "", version = ""] = requirement.exec(line) ?? [];
    if (name === "" || name.startsWith(unused)) return [];
    return [{ package: name, version, pin: cudaWheels.find((pin) => pin.package === name && pin.version === version) }];
  });
  if (wheels.length === 0) throw new Error("expected CUDA packages in the wheel's metadata, found none");
  const unknown = wheels.find(({ pin }) => pin === undefined);
  if (unknown === undefined || isUnpinned) return wheels;
  throw new Error(`${unknown.package} ${unknown.version}: no hash is pinned for it: add --unpinned to trust it`);
}

async function unpackCuda(folder: string, { wheels, ...context }: FetchContext & { wheels: Wheel[] }): Promise<void> {
  const { cache, signal } = context;
  const sizes = wheels.map(({ pin }) => {
    if (pin?.size === undefined) return 0;
    return pin.size.unpackedBytes + (existsSync(join(cache.downloads, pin.file)) ? 0 : pin.size.bytes);
  });
  await expectSpace(cache.libraries, { bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) });
  await inStaging(cache.libraries, async (stage) => {
    for (const wheel of wheels) {
      const advice = `fetch ${wheel.pin?.file ?? wheel.package} elsewhere and put it into ${cache.downloads}`;
      const path = await keepWheel(wheel, { ...context, advice });
      await unpackZip(path, { into: stage, place: placeOfLibrary, signal });
    }
    await chmod(stage, 0o755);
    await publish(stage, folder);
  });
}

function placeOfLibrary(member: string): string | undefined {
  return /^nvidia\/([^/]+\/lib\/[^/]+\.so[^/]*)$/.exec(member)?.[1];
}
