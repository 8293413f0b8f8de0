import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type EncoderBundle, openEncoder } from "../captioner/bundle.ts";
import type { FileDigest } from "../files/regular-file.ts";
import { writeTogether } from "../files/write-whole.ts";
import { type EncoderManifest, encoderManifestSchema } from "../shared/manifest.ts";
import type { ModelFiles } from "./fit/layers-format.ts";

const paths = { topology: "encoder/model.json", weights: "encoder/weights.bin", manifest: "manifest.json" } as const;

/** What an encoder's manifest says of it, aside from its files. */
export interface EncoderDescription extends Pick<EncoderManifest, "id" | "description" | "provenance" | "licence"> {
  featureSize: number;
  preprocessing: EncoderManifest["preprocessing"];
}

/**
 * Writes an encoder bundle: `encoder/model.json`, `encoder/weights.bin`, `manifest.json`. They take their names when all
 * are on disk, the manifest last, so that a kill leaves no bundle or one whose hashes tell. Returns it, read back.
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
  return openEncoder(folder); // as whoever uses it will, hashes and all
}

/** An encoder may be made anew; a model bundle is more than can be made again. */
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
