import { resolve } from "node:path";
import { pMapIterable } from "p-map";
import type { EncoderBundle } from "../captioner/bundle.ts";
import { decodeImage } from "../captioner/images/decode-image.ts";
import { readPhotoFile } from "../files/read-photo-file.ts";
import { defaultMaxPixels } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { type EncoderRanges, rangesFormat } from "../shared/ranges.ts";
import { say, showProgress } from "../terminal/progress.ts";
import { encoderRevision } from "./bundles.ts";
import { prepare } from "./prepare.ts";
import { preparedFiles, readPrepared } from "./prepared.ts";
import { equalizeChannels } from "./quantize/equalize-channels.ts";
import { checkRanges, compareFeatures, measureBiasCorrection, measureRanges } from "./quantize/measure-ranges.ts";
import type { Stage, TrainContext } from "./stage.ts";
import type { Dependencies } from "./stage-record.ts";

export const rangesFile = "ranges.json";

/** Number of photos to measure; more of them change the ranges by less than the method of choosing them does. */
const photosMeasured = 256;
const photosChecked = 64;

/**
 * Reads `prepare`'s training photos and an encoder. Writes into `quantize/`: `ranges.json`, `encoderRangesSchema`: the
 * ranges of its layers' activations. Ranges that come with the encoder are kept if they fit these photos, too.
 */
export const quantize: Stage = {
  name: "quantize",
  about: "measures the encoder's activation ranges for int8 (earlier: calibrate)",

  needs: [{ stage: prepare, files: { photos: preparedFiles.captions } }],
  dependencies: dependenciesOf,

  async run(context) {
    const bundle = await context.bundles.source();
    const paths = await trainingPhotos(context);
    const ranges = (await ownRanges(bundle, paths)) ?? (await measure(bundle, paths));
    await context.save({ files: { [rangesFile]: [`${JSON.stringify(ranges)}\n`] } });
  },
};

async function dependenciesOf({ bundles }: TrainContext): Promise<Dependencies> {
  const bundle = await bundles.source();
  const { encoder, files } = bundle.manifest;
  return {
    settings: { format: rangesFormat },
    inputs: {
      encoder: await encoderRevision(bundle),
      ranges: files.find(({ path }) => path === encoder.ranges)?.sha256 ?? "",
    },
  };
}

async function trainingPhotos(context: TrainContext): Promise<string[]> {
  const { photos, photoFolder } = await readPrepared(context);
  return photos.filter(({ split }) => split === "train").map(({ file }) => resolve(photoFolder, file));
}

/** Returns the ranges that come with the encoder, if they can be read and fit these photos. */
async function ownRanges(bundle: EncoderBundle, paths: readonly string[]): Promise<EncoderRanges | undefined> {
  try {
    const own = bundle.readRanges();
    if (own === undefined) return undefined;
    await checkRanges(bundle, { ...own, photos: decodeAll(bundle, evenly(paths, photosChecked)) });
    say(`quantize: the ranges of ${bundle.manifest.id} fit these photos`);
    return own;
  } catch (error) {
    say(`quantize: measuring anew: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

async function measure(bundle: EncoderBundle, paths: readonly string[]): Promise<EncoderRanges> {
  const photos = evenly(paths, photosMeasured);
  const divisors = await equalizeChannels(bundle, decodeAll(bundle, photos));
  const ranges = await measureRanges(bundle, { divisors, photos: decodeAll(bundle, photos) });
  const encoder = await encoderRevision(bundle);
  const unshifted: EncoderRanges = { formatVersion: rangesFormat, encoder, photos: photos.length, ranges, divisors };
  const measured = {
    ...unshifted,
    shift: await measureBiasCorrection(withRanges(bundle, unshifted), decodeAll(bundle, photos)),
  };
  const others = evenly(
    paths.filter((path) => !photos.includes(path)),
    photosChecked,
  );
  const checked = others.length > 1 ? others : photos;
  await checkRanges(bundle, { ranges, divisors, photos: decodeAll(bundle, checked) });
  const cosines = await compareFeatures(withRanges(bundle, measured), decodeAll(bundle, checked));
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
  say(
    `quantize: ${photos.length} photos; cosine of the features to float32's, minus the mean, on ${checked.length} other photos: ` +
      `${mean.toFixed(4)}, at worst ${Math.min(...cosines).toFixed(4)}`,
  );
  return measured;
}

function withRanges(bundle: EncoderBundle, ranges: EncoderRanges): EncoderBundle {
  return { ...bundle, readRanges: () => ranges };
}

/** Selects `count` paths, evenly spaced. */
function evenly(paths: readonly string[], count: number): string[] {
  if (paths.length <= count) return [...paths];
  return Array.from({ length: count }, (_, index) => paths[Math.floor((index * paths.length) / count)] ?? "");
}

/** Yields the pixels of photos in their order, skipping those that cannot be decoded. */
async function* decodeAll({ manifest }: EncoderBundle, paths: readonly string[]): AsyncGenerator<Uint8Array> {
  const { preprocessing } = manifest;
  const decode = async (path: string): Promise<Uint8Array | undefined> => {
    try {
      return (await decodeImage(await readPhotoFile(path), { preprocessing, maxPixels: defaultMaxPixels })).pixels;
    } catch (error) {
      if (error instanceof CaptionError) return undefined; // the stage features reports it
      throw error;
    }
  };
  const progress = showProgress("quantize", { total: paths.length, unit: "photos" });
  try {
    for await (const pixels of pMapIterable(paths, decode, { concurrency: 2, backpressure: 8 })) {
      progress.advance();
      if (pixels !== undefined) yield pixels;
    }
  } finally {
    progress.end();
  }
}
