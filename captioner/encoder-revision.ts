import { createHash } from "node:crypto";
import { posix } from "node:path";
import * as z from "zod";
import type { EncoderManifest } from "../shared/manifest.ts";

const weightPathsSchema = z.object({ weightsManifest: z.array(z.object({ paths: z.array(z.string()) })) });

/** A network's files in a bundle: its topology, and the weight files that this names. */
export function networkFiles(topology: string, parsed: unknown): string[] {
  const weights = weightPathsSchema.parse(parsed).weightsManifest.flatMap(({ paths }) => paths);
  return [topology, ...weights.map((path) => posix.join(posix.dirname(topology), path))];
}

/**
 * Names what makes features: the encoder's files and how pixels are prepared for it, not the ranges of its layers. 12 hex
 * digits. `parsed` is its topology.
 */
export function encoderRevisionOf({ encoder, preprocessing, files }: EncoderManifest, parsed: unknown): string {
  const { topology, featureSize } = encoder;
  const own = new Set(networkFiles(topology, parsed));
  const named = files.filter(({ path }) => own.has(path)).map(({ path, sha256 }) => [path, sha256]);
  const described = JSON.stringify({ encoder: { topology, featureSize }, preprocessing, files: named });
  return createHash("sha256").update(described).digest("hex").slice(0, 12);
}
