import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bundle, openBundle, sha256Of } from "../captioner/bundle.ts";
import { networkFiles } from "../captioner/encoder-revision.ts";
import { writeWhole } from "../files/write-whole.ts";
import { type Manifest, manifestSchema } from "../shared/manifest.ts";

const draftSchema = manifestSchema.omit({ files: true }).loose();

/**
 * Gives a bundle its seal: the size and SHA-256 of every file that the manifest names, directly or through a
 * `model.json`, written into `manifest.json`. What else stands there is kept. Returns the bundle, read back and verified.
 */
export async function sealBundle(folder: string): Promise<Bundle> {
  const manifestPath = join(folder, "manifest.json");
  const draft = draftSchema.parse(JSON.parse(await readFile(manifestPath, "utf8")));
  const paths = [
    draft.vocabulary.path,
    ...(await filesOf(folder, draft.encoder.topology)),
    ...(draft.encoder.ranges === undefined ? [] : [draft.encoder.ranges]),
    ...Object.values(draft.rehearsal ?? {}),
    ...(await filesOf(folder, draft.decoder.topology)),
  ];
  const files: Manifest["files"] = [];
  for (const path of paths.toSorted()) {
    const contents = await readFile(join(folder, path));
    files.push({ path, bytes: contents.length, sha256: sha256Of(contents) });
  }
  const sealed = manifestSchema.parse({ ...draft, files });
  await writeWhole(manifestPath, [`${JSON.stringify(sealed, null, 2)}\n`]);
  return openBundle(folder);
}

async function filesOf(folder: string, topology: string): Promise<string[]> {
  return networkFiles(topology, JSON.parse(await readFile(join(folder, topology), "utf8")));
}
