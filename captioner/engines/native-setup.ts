import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import * as z from "zod";

const nativePackage = "@tensorflow/tfjs-node-gpu";

const nativeSetupSchema = z.object({
  /** TensorFlow's version, as its library says it. */
  tensorflow: z.string(),
  /** What the library was built for; one for GPUs also runs without. */
  kind: z.enum(["gpu", "cpu"]),
  /** Folder of the library and the binding, outside the checkout. */
  root: z.string(),
  /** Folders of CUDA and cuDNN libraries; none: those of the system. */
  libraryPath: z.array(z.string()),
});

export type NativeSetup = z.infer<typeof nativeSetupSchema>;

/** Where the binding's package lies; undefined where that optional dependency is not installed. */
export function nativePackageFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${nativePackage}/package.json`));
  } catch {
    return undefined;
  }
}

/** The file in the binding's package that holds the record, so that both go when `npm ci` wipes them. */
export function nativeRecordPath(packageFolder: string): string {
  return join(packageFolder, "native.json");
}

/**
 * What `npm run setup:native` has set up; undefined where it has not run, or where its cache is gone since.
 * Throws a sentence where the record is damaged.
 */
export function readNativeSetup(packageFolder = nativePackageFolder()): NativeSetup | undefined {
  if (packageFolder === undefined) return undefined;
  const path = nativeRecordPath(packageFolder);
  if (!existsSync(path)) return undefined;
  const setup = parseRecord(path);
  return existsSync(setup.root) ? setup : undefined;
}

/** The environment in which a process finds the libraries: they cannot be added once it runs. */
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
    throw new Error(`${path}: cannot be read; npm run setup:native writes it anew`, { cause });
  }
}
