import { posix } from "node:path";
import { sha256Of } from "../gpu-service/bundle.ts";
import type { EncoderManifest } from "../shared/manifest.ts";

/** The files of a bundle's encoder: those beside its topology. */
export function encoderFiles({ encoder, files }: EncoderManifest): EncoderManifest["files"] {
  const folder = `${posix.dirname(encoder.topology)}/`;
  return files.filter(({ path }) => path.startsWith(folder));
}

/** Names what makes features: the encoder's files and how pixels are prepared for it. 12 hex digits. */
export function encoderRevision(manifest: EncoderManifest): string {
  const { encoder, preprocessing } = manifest;
  const files = encoderFiles(manifest).map(({ path, sha256 }) => [path, sha256]);
  return sha256Of(Buffer.from(JSON.stringify({ encoder, preprocessing, files }))).slice(0, 12);
}
