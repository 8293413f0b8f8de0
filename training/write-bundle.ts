import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type Bundle,
  type EncoderBundle,
  networkFiles,
  openBundle,
  openEncoder,
  sha256Of,
} from "../captioner/bundle.ts";
import type { FileDigest } from "../files/regular-file.ts";
import { writeTogether, writeWhole } from "../files/write-whole.ts";
import { type EncoderManifest, encoderManifestSchema, type Manifest, manifestSchema } from "../shared/manifest.ts";
import type { ModelFiles } from "./layers-format.ts";

const draftSchema = manifestSchema.omit({ files: true }).loose();

/**
 * Updates the hashes in a bundle's `manifest.json`: size and SHA-256 of every file that the manifest names, directly or
 * through a `model.json`. The rest of the manifest is kept. Returns the bundle, read back and verified.
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
    ...(draft.evidence === undefined ? [] : await filesOf(folder, draft.evidence.topology)),
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

const paths = { topology: "encoder/model.json", weights: "encoder/weights.bin", manifest: "manifest.json" } as const;

/** Fields of an encoder's manifest, its files aside. */
export interface EncoderDescription extends Pick<EncoderManifest, "id" | "description" | "provenance" | "licence"> {
  featureSize: number;
  preprocessing: EncoderManifest["preprocessing"];
}

/**
 * Writes an encoder bundle: `encoder/model.json`, `encoder/weights.bin`, `manifest.json`. They take their names when
 * all are on disk, the manifest last, so a kill leaves either no bundle or one whose hashes do not match. Returns it,
 * read back.
 */
export async function writeEncoder(
  folder: string,
  { model, featureSize, preprocessing, ...description }: EncoderDescription & { model: ModelFiles },
): Promise<EncoderBundle> {
  await expectReplaceable(folder);
  await mkdir(join(folder, dirname(paths.topology)), { recursive: true });
  await writeTogether(async (write) => {
    const files: Record<string, FileDigest> = {
      [paths.topology]: await write(join(folder, paths.topology), [JSON.stringify(model.topology)]),
      [paths.weights]: await write(join(folder, paths.weights), [model.weights]),
    };
    const manifest = encoderManifestSchema.parse({
      formatVersion: 1,
      ...description,
      encoder: { topology: paths.topology, featureSize },
      preprocessing,
      files: Object.entries(files).map(([path, digest]) => ({ path, ...digest })),
    });
    await write(join(folder, paths.manifest), [`${JSON.stringify(manifest, null, 2)}\n`]);
  });
  return openEncoder(folder); // verified as its users will verify it, hashes included
}

/** Throws if the folder holds anything but an encoder, which can be made again; a model bundle may not. */
async function expectReplaceable(folder: string): Promise<void> {
  const path = join(folder, paths.manifest);
  const manifest = await readFile(path, "utf8").catch(() => undefined);
  if (manifest === undefined || isEncoder(manifest)) return;
  throw new Error(`${path}: expected none or an encoder's, found another bundle's: choose another --out`);
}

function isEncoder(manifest: string): boolean {
  try {
    return encoderManifestSchema.safeParse(JSON.parse(manifest)).success;
  } catch {
    return false;
  }
}
