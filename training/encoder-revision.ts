import { type EncoderBundle, sha256Of } from "../gpu-service/bundle.ts";
import type { EncoderManifest } from "../shared/manifest.ts";
import { modelFiles } from "./seal-bundle.ts";

/** The files of a bundle's encoder: its topology and the weights that this names. */
export async function encoderFiles({ folder, manifest }: EncoderBundle): Promise<EncoderManifest["files"]> {
  const own = new Set(await modelFiles(folder, manifest.encoder.topology));
  return manifest.files.filter(({ path }) => own.has(path));
}

/** Names what makes features: the encoder's files and how pixels are prepared for it. 12 hex digits. */
export async function encoderRevision(bundle: EncoderBundle): Promise<string> {
  const { encoder, preprocessing } = bundle.manifest;
  const files = (await encoderFiles(bundle)).map(({ path, sha256 }) => [path, sha256]);
  return sha256Of(Buffer.from(JSON.stringify({ encoder, preprocessing, files }))).slice(0, 12);
}
