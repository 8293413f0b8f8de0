import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Bundle, revisionAt } from "../captioner/bundle.ts";
import { toCandidate } from "../captioner/candidate.ts";
import { type EngineProcess, startEngineProcess } from "../captioner/engines/engine-process.ts";
import { neutralCandidate } from "../shared/caption-form.ts";
import { terminalLines } from "../shared/terminal-text.ts";
import { say, showProgress } from "../terminal/progress.ts";
import type { Split } from "./dataset.ts";
import { describeEvaluation } from "./evaluate/describe-evaluation.ts";
import { evaluateCaptions, type SearchedCaption, trainingCaptions } from "./evaluate/evaluate-captions.ts";
import { encodePhotos, type PhotoToEncode } from "./features/encode-photos.ts";
import { FeatureStore, readInBatches } from "./features/feature-store.ts";
import { featureKindOf, storeName } from "./features/photo-features.ts";
import { prepare } from "./prepare.ts";
import { groupByDataset, type PreparedPhoto, preparedFiles, readPrepared } from "./prepared.ts";
import { type SearchName, searches, searchNames } from "./score/score-captions.ts";
import { type Stage, stageFolder, type TrainContext } from "./stage.ts";

export const evaluatedFiles = {
  /** `evaluationSchema`. */
  scores: "scores.json",
  /** `captionedPhotoSchema`, one photo per line. */
  captions: "captions.jsonl",
} as const;

/** Counts the versions of `scores.json`, so that results of an earlier one are made again. */
const format = 2;

/**
 * Reads `prepare`'s captions, the photos and a bundle. Writes into `evaluate/`: `scores.json`, one entry per search, as
 * fractions; `captions.jsonl`, one photo per line, with its file, its references, and each search's caption and
 * confidence.
 */
export const evaluate: Stage = {
  name: "evaluate",
  about: "scores a bundle's captions by BLEU, ROUGE-L and CIDEr, as the COCO caption scorer does; only when named",
  isOnRequest: true,

  needs: [{ stage: prepare, files: { captions: preparedFiles.captions } }],

  async dependencies({ settings: { split, precision, neutral }, bundles }) {
    return {
      settings: { split, precision, format, ...(neutral ? { neutral } : {}) },
      inputs: { bundle: (await bundles.evaluated()).revision },
    };
  },

  async run(context) {
    const { split } = context.settings;
    const { photos: all, photoFolder } = await readPrepared(context);
    const photos = photosToScore(all, split);
    if (photos.length === 0)
      throw new Error(`expected photos in the ${split} split, found none: choose another with --split`);
    const bundle = await context.bundles.evaluated();
    const { precision, neutral } = context.settings;
    const revision = revisionAt(bundle, precision);
    const engine = await startEngineProcess(bundle.folder, precision === "int8" ? "onnx" : "auto", {
      cpu: { precision },
    });
    const { name, device } = engine.identity;
    say(`evaluate: ${bundle.manifest.id}, revision ${revision}, ${precision}, on ${name} (${device})`);
    try {
      const files = photos.map(({ file, sha256 }) => ({ path: resolve(photoFolder, file), sha256, isMirrored: false }));
      const captions = await captionPhotos(files, {
        engine,
        bundle,
        neutral,
        stored: precision === "float32" ? await openStored(context, { bundle, files }) : undefined,
      });
      const evaluation = evaluateCaptions(photos, {
        captions,
        bundle: { ...bundle, revision },
        split,
        training: trainingCaptions(all),
      });
      await context.save({
        files: {
          [evaluatedFiles.scores]: [`${JSON.stringify(evaluation, null, 2)}\n`],
          [evaluatedFiles.captions]: captionLines(photos, captions),
        },
      });
      process.stdout.write(terminalLines(describeEvaluation(evaluation)));
    } finally {
      await engine.close();
    }
  },
};

/**
 * Selects the photos of a split. A data set without photos there is scored on its dev photos, which are not learnt from
 * either.
 */
function photosToScore(all: readonly PreparedPhoto[], split: Split): PreparedPhoto[] {
  return [...groupByDataset(all).values()].flatMap((own) => {
    const ofSplit = own.filter((photo) => photo.split === split);
    const isOneOfSeveral = own.some(({ dataset }) => dataset !== undefined);
    return ofSplit.length === 0 && isOneOfSeveral ? own.filter((photo) => photo.split === "dev") : ofSplit;
  });
}

interface CaptioningParts {
  engine: EngineProcess;
  bundle: Bundle;
  neutral: boolean;
  stored: FeatureStore | undefined;
}

/** Captions the photos with each search, in their order. */
async function captionPhotos(
  files: readonly PhotoToEncode[],
  { engine, bundle, neutral, stored }: CaptioningParts,
): Promise<Map<SearchName, SearchedCaption[]>> {
  const captions = new Map(searchNames.map((search): [SearchName, SearchedCaption[]] => [search, []]));
  const { vocabulary } = bundle;
  const { preprocessing, calibration: confidenceMap } = bundle.manifest;
  const progress = showProgress("evaluate", { total: files.length, unit: "photos" });
  const batches =
    stored === undefined
      ? encodePhotos(files, { engine, preprocessing, leaveOut: refuse })
      : readInBatches(stored, files);
  try {
    for await (const { features, photos } of batches) {
      for (const [search, found] of captions) {
        const options = photos.map(() => ({ beam: searches[search], candidates: 1 }));
        const best = (await engine.search(features, options)).flat();
        const said = best.map((caption) => toCandidate(caption, { vocabulary, confidenceMap }));
        found.push(...(neutral ? said.map(neutralCandidate) : said));
      }
      progress.advance(photos.length);
    }
  } finally {
    progress.end();
    await stored?.close();
  }
  return captions;
}

/** Opens the features that the stage `features` made with this encoder, if it has those of all photos. */
async function openStored(
  context: TrainContext,
  { bundle, files }: { bundle: Bundle; files: readonly PhotoToEncode[] },
): Promise<FeatureStore | undefined> {
  const kind = await featureKindOf(bundle);
  const path = join(stageFolder(context, "features"), storeName(kind));
  if (!existsSync(`${path}.jsonl`)) return undefined;
  const store = await FeatureStore.openToRead(path, kind);
  if (files.every((file) => store.has(file))) return store;
  await store.close();
  return undefined;
}

/** Refuses a photo: scores that leave photos out are not comparable. */
function refuse({ path }: PhotoToEncode, reason: string): never {
  throw new Error(`${path}: ${reason}`);
}

function* captionLines(
  photos: readonly PreparedPhoto[],
  captions: ReadonlyMap<SearchName, readonly SearchedCaption[]>,
): Generator<string> {
  for (const [index, { id, file, dataset, captions: references }] of photos.entries()) {
    const of = (what: keyof SearchedCaption) =>
      Object.fromEntries([...captions].map(([search, list]) => [search, list[index]?.[what]]));
    const texts = references.map(({ text }) => text);
    yield `${JSON.stringify({ id, file, dataset, ...of("caption"), confidence: of("confidence"), references: texts })}\n`;
  }
}
