import { readFile, rename, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";
import * as z from "zod";
import { type Bundle, openBundle, sha256Of } from "../gpu-service/bundle.ts";
import { type Manifest, manifestSchema } from "../shared/manifest.ts";

const draftSchema = manifestSchema.omit({ files: true }).loose();
const weightPathsSchema = z.object({ weightsManifest: z.array(z.object({ paths: z.array(z.string()) })) });

/**
 * Gives a bundle its seal: the size and SHA-256 of every file that the manifest names, directly or through a
 * `model.json`, written into `manifest.json`. What else stands there is kept. Returns the bundle, read back and verified.
 */
export async function sealBundle(folder: string): Promise<Bundle> {
  const manifestPath = join(folder, "manifest.json");
  const draft = draftSchema.parse(JSON.parse(await readFile(manifestPath, "utf8")));
  const paths = [
    draft.vocabulary.path,
    ...(await modelFiles(folder, draft.encoder.topology)),
    ...(await modelFiles(folder, draft.decoder.topology)),
  ];
  const files: Manifest["files"] = [];
  for (const path of paths.toSorted()) {
    const contents = await readFile(join(folder, path));
    files.push({ path, bytes: contents.length, sha256: sha256Of(contents) });
  }
  const sealed = manifestSchema.parse({ ...draft, files });
  await writeFile(`${manifestPath}.partial`, `${JSON.stringify(sealed, null, 2)}\n`);
  await rename(`${manifestPath}.partial`, manifestPath);
  return openBundle(folder);
}

/** A network's files in a bundle: its topology, and the weight files that this names. */
export async function modelFiles(folder: string, topology: string): Promise<string[]> {
  const model = weightPathsSchema.parse(JSON.parse(await readFile(join(folder, topology), "utf8")));
  const weights = model.weightsManifest.flatMap(({ paths }) => paths);
  return [topology, ...weights.map((path) => posix.join(posix.dirname(topology), path))];
}
