import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { ModelCard } from "../shared/contract.ts";
import { type EncoderManifest, encoderManifestSchema, type Manifest, manifestSchema } from "../shared/manifest.ts";
import { type EncoderRanges, encoderRangesSchema } from "../shared/ranges.ts";
import { parseVocabulary, type Vocabulary } from "../shared/vocabulary.ts";
import type { Precision } from "./engine.ts";
import { type LayersModel, parseLayersModel } from "./networks/layers-model.ts";

/** The bundle that ships. */
export const defaultModelDir = fileURLToPath(new URL("../models/default", import.meta.url));

/** An encoder, alone or part of a model bundle; each file has the hash and size that the manifest states. */
export interface EncoderBundle {
  folder: string;
  manifest: EncoderManifest;
  /** The first 12 hex digits of the manifest's SHA-256. */
  revision: string;
  readEncoder(): LayersModel;
  /** The ranges of its layers' activations, for int8; undefined if the bundle has none. */
  readRanges(): EncoderRanges | undefined;
}

/** A model bundle: an encoder, a decoder and its vocabulary. */
export interface Bundle extends EncoderBundle {
  manifest: Manifest;
  vocabulary: Vocabulary;
  readDecoder(): LayersModel;
  /** The network of `manifest.evidence`; undefined if there is none. */
  readEvidence(): LayersModel | undefined;
  /** Reads and verifies the files of `manifest.rehearsal`, which only training needs; undefined if there are none. */
  readRehearsal(): Promise<RehearsalFiles | undefined>;
}

/** The bytes of the files that `manifest.rehearsal` names. */
export interface RehearsalFiles {
  features: Uint8Array;
  captions: Uint8Array;
}

/** Reads and verifies a bundle. An error names the file and says what was expected. */
export async function openBundle(folder: string): Promise<Bundle> {
  const bundle = await openEncoder(folder);
  if (hasDecoder(bundle)) return bundle;
  throw new Error(describeMissingDecoder(folder));
}

/** Reads and verifies an encoder, with its decoder if there is one. Throws as `openBundle` does. */
export async function openEncoder(folder: string): Promise<EncoderBundle | Bundle> {
  const manifestBytes = await readBundleFile(folder, "manifest.json");
  const manifest = parseManifest(folder, manifestBytes);
  const fileAt = await readFiles(folder, manifest);
  const readModel = (topology: string, inputShapes: readonly InputShape[]) =>
    withFileName(join(folder, topology), () => {
      const model = parseLayersModel({
        topology: parseJson(fileAt(topology)),
        readWeights: (path) => fileAt(posix.join(posix.dirname(topology), path)),
      });
      expectInputs(model, inputShapes);
      return model;
    });
  const { width, height } = manifest.preprocessing;
  const { featureSize, topology } = manifest.encoder;
  const encoder: EncoderBundle = {
    folder,
    manifest,
    revision: sha256Of(manifestBytes).slice(0, 12),
    readEncoder: () => readModel(topology, [[height, width, 3]]),
    readRanges: () => readRanges(folder, { manifest, fileAt }),
  };
  if (!("decoder" in manifest)) return encoder;
  return {
    ...encoder,
    manifest,
    vocabulary: readVocabulary(folder, { manifest, bytes: fileAt(manifest.vocabulary.path) }),
    readDecoder: () => readModel(manifest.decoder.topology, [[featureSize], [manifest.maxCaptionLength], [null]]),
    readEvidence: () =>
      manifest.evidence === undefined ? undefined : readModel(manifest.evidence.topology, [[featureSize]]),
    readRehearsal: () => readRehearsal(folder, manifest),
  };
}

/** Whether a bundle can caption, that is, more than an encoder. */
export function hasDecoder(bundle: EncoderBundle | Bundle): bundle is Bundle {
  return "readDecoder" in bundle;
}

/** The message for a folder that cannot caption, with its remedy. */
export function describeMissingDecoder(folder: string): string {
  const remedy = `npm run train -- --encoder ${folder} --data <captions> --out <folder> makes a bundle of it`;
  return `${folder}: expected a model bundle, found an encoder without a decoder: ${remedy}`;
}

/** Reads every file of a manifest except the rehearsal's. Returns a function from path to contents. */
async function readFiles(folder: string, manifest: Manifest | EncoderManifest): Promise<(path: string) => Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const rehearsal = "rehearsal" in manifest ? Object.values(manifest.rehearsal ?? {}) : [];
  for (const file of manifest.files) {
    if (!rehearsal.includes(file.path)) files.set(file.path, await readVerified(folder, file));
  }
  return (path) => {
    const contents = files.get(path);
    if (contents === undefined) throw new Error(`${join(folder, "manifest.json")}: ${path} is not among its files`);
    return contents;
  };
}

async function readRehearsal(folder: string, { rehearsal, files }: Manifest): Promise<RehearsalFiles | undefined> {
  if (rehearsal === undefined) return undefined;
  const read = (wanted: string) => {
    const file = files.find(({ path }) => path === wanted);
    if (file === undefined) throw new Error(`${join(folder, "manifest.json")}: ${wanted} is not among its files`);
    return readVerified(folder, file);
  };
  return { features: await read(rehearsal.features), captions: await read(rehearsal.captions) };
}

/** Reads a file that has the size and hash that the manifest states. */
async function readVerified(folder: string, { path, bytes, sha256 }: Manifest["files"][number]): Promise<Uint8Array> {
  const contents = await readBundleFile(folder, path);
  if (contents.length !== bytes) {
    throw new Error(`${join(folder, path)}: expected ${bytes} bytes by the manifest, found ${contents.length}`);
  }
  const found = sha256Of(contents);
  if (found !== sha256)
    throw new Error(`${join(folder, path)}: expected sha256 ${sha256} by the manifest, found ${found}`);
  return contents;
}

/** An input without its batch dimension; null is any length. */
type InputShape = readonly (number | null)[];

/** Refuses a network that was made for other inputs than the manifest prepares. */
function expectInputs({ layers }: LayersModel, shapes: readonly InputShape[]): void {
  for (const layer of layers) {
    if (layer.class !== "InputLayer") continue;
    const [, ...shape] = layer.config.batch_input_shape;
    if (shapes.some((expected) => expected.join() === shape.join())) continue;
    const expected = shapes.map((wanted) => `[n, ${wanted.join(", ")}]`).join(" or ");
    throw new Error(`input ${layer.name}: expected ${expected} by the manifest, found [n, ${shape.join(", ")}]`);
  }
}

/** The revision of a bundle's captions: the bundle's own in float32, one derived from it in int8. */
export function revisionAt({ revision }: Pick<EncoderBundle, "revision">, precision: Precision): string {
  return precision === "float32" ? revision : sha256Of(`${revision} ${precision}`).slice(0, 12);
}

/** The description of a bundle for callers, at this precision. */
export function modelCardOf(bundle: Bundle, precision: Precision): ModelCard {
  const { id, description, cleaning, scores, licence, vocabulary, search } = bundle.manifest;
  return {
    id,
    revision: revisionAt(bundle, precision),
    precision,
    description,
    vocabularySize: vocabulary.size,
    cleaning,
    maxWords: search.maxWords,
    scores,
    licence,
  };
}

/** Parses a manifest: with a decoder it is one of a model bundle, without one of an encoder. */
function parseManifest(folder: string, bytes: Uint8Array): Manifest | EncoderManifest {
  const path = join(folder, "manifest.json");
  const json = withFileName(path, () => parseJson(bytes));
  const isWhole = typeof json === "object" && json !== null && "decoder" in json;
  const parsed = (isWhole ? manifestSchema : encoderManifestSchema).safeParse(json);
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function readRanges(
  folder: string,
  { manifest, fileAt }: { manifest: EncoderManifest; fileAt: (path: string) => Uint8Array },
): EncoderRanges | undefined {
  const { ranges: path, topology } = manifest.encoder;
  if (path === undefined) return undefined;
  return withFileName(join(folder, path), () => {
    const parsed = encoderRangesSchema.safeParse(parseJson(fileAt(path)));
    if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
    const revision = encoderRevisionOf(manifest, parseJson(fileAt(topology)));
    if (parsed.data.encoder === revision) return parsed.data;
    throw new Error(`expected ranges of encoder ${revision}, found those of ${parsed.data.encoder}`);
  });
}

function readVocabulary(folder: string, { manifest, bytes }: { manifest: Manifest; bytes: Uint8Array }): Vocabulary {
  return withFileName(join(folder, manifest.vocabulary.path), () => {
    const vocabulary = parseVocabulary(parseJson(bytes));
    const { start, end } = manifest.specialIds;
    const found = [vocabulary.size, vocabulary.startId, vocabulary.endId];
    const expected = [manifest.vocabulary.size, start, end];
    if (found.join() !== expected.join()) {
      throw new Error(
        `expected size, start id and end id ${expected.join(", ")} by the manifest, found ${found.join(", ")}`,
      );
    }
    return vocabulary;
  });
}

const weightPathsSchema = z.object({ weightsManifest: z.array(z.object({ paths: z.array(z.string()) })) });

/** A network's files in a bundle: its topology, and the weight files that this names. */
export function networkFiles(topology: string, parsed: unknown): string[] {
  const weights = weightPathsSchema.parse(parsed).weightsManifest.flatMap(({ paths }) => paths);
  return [topology, ...weights.map((path) => posix.join(posix.dirname(topology), path))];
}

/**
 * Identifies what determines features: the encoder's files and how pixels are prepared for it, not the ranges of its layers.
 * 12 hex digits. `parsed` is its topology.
 */
export function encoderRevisionOf({ encoder, preprocessing, files }: EncoderManifest, parsed: unknown): string {
  const { topology, featureSize } = encoder;
  const own = new Set(networkFiles(topology, parsed));
  const named = files.filter(({ path }) => own.has(path)).map(({ path, sha256 }) => [path, sha256]);
  const described = JSON.stringify({ encoder: { topology, featureSize }, preprocessing, files: named });
  return sha256Of(described).slice(0, 12);
}

async function readBundleFile(folder: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, path));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
    throw new Error(`${join(folder, path)}: cannot be read${code}`, { cause });
  }
}

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** SHA-256 in hex, as manifests state it. */
export function sha256Of(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Runs `read`, and puts the file's name before an error's message unless it is there. */
export function withFileName<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(message.startsWith(path) ? message : `${path}: ${message}`, { cause });
  }
}
