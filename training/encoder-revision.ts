import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EncoderBundle } from "../captioner/bundle.ts";
import { encoderRevisionOf, networkFiles } from "../captioner/bundle.ts";
import type { EncoderManifest } from "../shared/manifest.ts";

/** The files of a bundle's encoder: its topology and the weights that this names. */
export async function encoderFiles(bundle: EncoderBundle): Promise<EncoderManifest["files"]> {
  const { encoder, files } = bundle.manifest;
  const own = new Set(networkFiles(encoder.topology, await readTopology(bundle)));
  return files.filter(({ path }) => own.has(path));
}

/** Names what makes features: the encoder's files and how pixels are prepared for it. 12 hex digits. */
export async function encoderRevision(bundle: EncoderBundle): Promise<string> {
  return encoderRevisionOf(bundle.manifest, await readTopology(bundle));
}

async function readTopology({ folder, manifest }: EncoderBundle): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, manifest.encoder.topology), "utf8"));
}
