import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Bundle,
  describeMissingDecoder,
  type EncoderBundle,
  encoderRevisionOf,
  hasDecoder,
  networkFiles,
  openEncoder,
} from "../captioner/bundle.ts";
import type { EncoderManifest, Manifest } from "../shared/manifest.ts";
import type { TrainSettings } from "./settings.ts";

/** The bundles that a run reads, each opened and verified once. */
export class RunBundles {
  readonly #settings: Pick<TrainSettings, "encoder" | "from" | "bundle">;
  readonly #opened = new Map<string, Promise<EncoderBundle | Bundle>>();

  constructor(settings: Pick<TrainSettings, "encoder" | "from" | "bundle">) {
    this.#settings = settings;
  }

  /** The bundle whose encoder is used: the one that training continues from, or that of `--encoder`. */
  source(): Promise<EncoderBundle | Bundle> {
    return this.#open(this.#settings.from ?? this.#settings.encoder);
  }

  /** The bundle of `--from`, which training continues from. */
  async from(): Promise<Bundle | undefined> {
    const { from } = this.#settings;
    return from === undefined ? undefined : this.#openWhole(from);
  }

  /** The bundle of `--bundle`, which is evaluated. */
  evaluated(): Promise<Bundle> {
    return this.#openWhole(this.#settings.bundle);
  }

  async #openWhole(folder: string): Promise<Bundle> {
    const bundle = await this.#open(folder);
    if (hasDecoder(bundle)) return bundle;
    throw new Error(describeMissingDecoder(folder));
  }

  #open(folder: string): Promise<EncoderBundle | Bundle> {
    const opened = this.#opened.get(folder) ?? openEncoder(folder);
    this.#opened.set(folder, opened);
    return opened;
  }
}

/** The search settings of scores and of the bundle: those of the bundle that training continues from, if any. */
export async function searchOf({
  settings: { maxWords },
  bundles,
}: {
  settings: Pick<TrainSettings, "maxWords">;
  bundles: RunBundles;
}): Promise<Manifest["search"]> {
  const from = await bundles.from();
  return from === undefined ? { lengthPenalty: 0.7, maxWords } : { ...from.manifest.search, maxWords };
}

/** The files of a bundle's encoder: its topology and the weights that this names. */
export async function encoderFiles(bundle: EncoderBundle): Promise<EncoderManifest["files"]> {
  const { encoder, files } = bundle.manifest;
  const own = new Set(networkFiles(encoder.topology, await readTopology(bundle)));
  return files.filter(({ path }) => own.has(path));
}

/** Identifies what makes features: the encoder's files and how pixels are prepared for it. 12 hex digits. */
export async function encoderRevision(bundle: EncoderBundle): Promise<string> {
  return encoderRevisionOf(bundle.manifest, await readTopology(bundle));
}

async function readTopology({ folder, manifest }: EncoderBundle): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, manifest.encoder.topology), "utf8"));
}
