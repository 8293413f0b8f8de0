import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import * as z from "zod";

const nativePackage = "@tensorflow/tfjs-node-gpu";

const nativeSetupSchema = z.object({
  /** TensorFlow's version, as its library reports it. */
  tensorflow: z.string(),
  /** What the library was built for; one for GPUs also runs without them. */
  kind: z.enum(["gpu", "cpu"]),
  /** Folder of the library and the binding, outside the checkout. */
  root: z.string(),
  /** Folders of CUDA and cuDNN libraries; none: those of the system. */
  libraryPath: z.array(z.string()),
});

export type NativeSetup = z.infer<typeof nativeSetupSchema>;

/** The folder, outside the checkout, for what can be downloaded or measured again. */
export function cacheFolder({ EDGE_CAPTION_CACHE, XDG_CACHE_HOME }: NodeJS.ProcessEnv = process.env): string {
  return EDGE_CAPTION_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "edge-caption");
}

/** The folder of the binding's package; undefined if that optional dependency is not installed. */
export function nativePackageFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${nativePackage}/package.json`));
  } catch {
    return undefined;
  }
}

/** The file of the record, inside the binding's package so that `npm ci` removes both. */
export function nativeRecordPath(packageFolder: string): string {
  return join(packageFolder, "native.json");
}

/**
 * What `npm run setup:native` has set up; undefined if it has not run, or its cache was deleted since. Throws if the
 * record is damaged.
 */
export function readNativeSetup(packageFolder = nativePackageFolder()): NativeSetup | undefined {
  if (packageFolder === undefined) return undefined;
  const path = nativeRecordPath(packageFolder);
  if (!existsSync(path)) return undefined;
  const setup = parseRecord(path);
  return existsSync(setup.root) ? setup : undefined;
}

/** The environment in which a process finds the libraries, which cannot be added once it runs. */
export function libraryEnvironment(
  { libraryPath }: Pick<NativeSetup, "libraryPath">,
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const folders = [...libraryPath, environment.LD_LIBRARY_PATH ?? ""].filter((folder) => folder !== "");
  return folders.length === 0 ? environment : { ...environment, LD_LIBRARY_PATH: folders.join(delimiter) };
}

function parseRecord(path: string): NativeSetup {
  try {
    return nativeSetupSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new Error(`${path}: cannot be read; npm run setup:native rewrites it`, { cause });
  }
}
