import { resolve } from "node:path";
import { type Bundle, openBundle } from "../gpu-service/bundle.ts";
import { toCandidate } from "../gpu-service/candidate.ts";
import { type EngineProcess, startEngineProcess } from "../gpu-service/engine-process.ts";
import { cleanCaption } from "../shared/clean-caption.ts";
import type { Candidate } from "../shared/contract.ts";
import { describeEvaluation, type Evaluation, type SearchEvaluation } from "./describe-evaluation.ts";
import { encodePhotos, type PhotoToEncode } from "./encode-photos.ts";
import { cleanReferences, referencesOf } from "./fit/scorer.ts";
import { type PreparedPhoto, preparedFiles, readPrepared } from "./prepared.ts";
import { say, showProgress } from "./progress.ts";
import { bootstrapIntervals } from "./score/bootstrap.ts";
import { byTenths, type RatedCaption, spearman } from "./score/confidence.ts";
import { contentPrecision } from "./score/content-words.ts";
import { prepareReferences, scoreAgainst } from "./score/score-captions.ts";
import { type SearchName, searches, searchNames } from "./searches.ts";
import { type Stage, stageFolder, type TrainContext } from "./stage.ts";
import { type Dependencies, isRecorded, readOutputs, writeOutputs } from "./stage-record.ts";

/**
 * In: `prepare`'s captions, the photos, a bundle. Out, into `evaluate/`: `scores.json`, an entry a search, as fractions;
 * `captions.jsonl`, a photo a line, with its file, its references, and the caption of each search and its confidence.
 */
export const evaluate: Stage = {
  name: "evaluate",
  about: "scores a bundle's captions by BLEU, ROUGE-L and CIDEr, as the COCO caption scorer does; when named",
  isOnRequest: true,

  async isUpToDate(context) {
    return isRecorded(stageFolder(context, "evaluate"), await dependenciesOf(context));
  },

  async run(context) {
    const { split } = context.settings;
    const { photos: all, photoFolder } = await readPrepared(context);
    const photos = all.filter((photo) => photo.split === split);
    if (photos.length === 0)
      throw new Error(`expected photos in the ${split} split, found none: choose another with --split`);
    const bundle = await openBundle(context.settings.bundle);
    const engine = await startEngineProcess(bundle.folder, "auto");
    say(`evaluate: ${bundle.manifest.id}, revision ${bundle.revision}, on ${engine.name} (${engine.device})`);
    try {
      const files = photos.map(({ file, sha256 }) => ({ path: resolve(photoFolder, file), sha256, isMirrored: false }));
      const captions = await captionAll(files, { engine, bundle });
      const evaluation = evaluateCaptions(photos, { captions, bundle, split, training: trainingCaptions(all) });
      await writeOutputs(stageFolder(context, "evaluate"), {
        dependencies: await dependenciesOf(context),
        files: {
          "scores.json": [`${JSON.stringify(evaluation, null, 2)}\n`],
          "captions.jsonl": captionLines(photos, captions),
        },
      });
      process.stdout.write(describeEvaluation(evaluation));
    } finally {
      await engine.close();
    }
  },
};

async function dependenciesOf(context: TrainContext): Promise<Dependencies> {
  const { split, bundle } = context.settings;
  const { [preparedFiles.captions]: captions } = await readOutputs(stageFolder(context, "prepare"), "prepare");
  return {
    settings: { split },
    inputs: { captions: captions?.sha256 ?? "", bundle: (await openBundle(bundle)).revision },
  };
}

/** Captions of the photos, in their order, by search. */
async function captionAll(
  files: readonly PhotoToEncode[],
  { engine, bundle }: { engine: EngineProcess; bundle: Bundle },
): Promise<Map<SearchName, Caption[]>> {
  const captions = new Map(searchNames.map((search): [SearchName, Caption[]] => [search, []]));
  const { vocabulary } = bundle;
  const { preprocessing, calibration } = bundle.manifest;
  const progress = showProgress("evaluate", { total: files.length, unit: "photos" });
  try {
    for await (const { features, photos } of encodePhotos(files, { engine, preprocessing, leaveOut: refuse })) {
      for (const [search, found] of captions) {
        const options = photos.map(() => ({ beam: searches[search], candidates: 1 }));
        const best = (await engine.search(features, options)).flat();
        found.push(...best.map((caption) => toCandidate(caption, { vocabulary, calibration })));
      }
      progress.advance(photos.length);
    }
  } finally {
    progress.end();
  }
  return captions;
}

/** A score that leaves photos out would not compare with others. */
function refuse({ path }: PhotoToEncode, reason: string): never {
  throw new Error(`${path}: ${reason}`);
}

type Caption = Pick<Candidate, "caption" | "confidence">;

interface Captioned {
  /** In the photos' order. */
  captions: ReadonlyMap<SearchName, readonly Caption[]>;
  bundle: Bundle;
  split: string;
  /** Cleaned, their words joined by spaces. */
  training: ReadonlySet<string>;
}

function evaluateCaptions(
  photos: readonly PreparedPhoto[],
  { captions, bundle, split, training }: Captioned,
): Evaluation {
  const references = prepareReferences(referencesOf(photos));
  const { cleaning, id } = bundle.manifest;
  const searches = [...captions].map(([search, found]): SearchEvaluation => {
    const list = found.map(({ caption }) => caption);
    const candidates = new Map(photos.map((photo, index) => [photo.id, list[index] ?? ""]));
    const { perPhoto, ...scores } = scoreAgainst(references, candidates);
    const words = list.map((caption) => cleanCaption(caption, cleaning));
    const rated = photos.map((photo, index): RatedCaption => {
      return {
        confidence: found[index]?.confidence ?? 0,
        precision: contentPrecision(words[index] ?? [], cleanReferences(photo)),
        cider: perPhoto.get(photo.id)?.cider ?? 0,
      };
    });
    return {
      search,
      ...scores,
      intervals: bootstrapIntervals([...perPhoto.values()]),
      captions: new Set(list).size,
      words: new Set(words.flat()).size,
      meanLength: words.flat().length / list.length,
      confidence: describeRated(rated),
      inTraining: words.filter((caption) => training.has(caption.join(" "))).length / list.length,
    };
  });
  return { model: id, revision: bundle.revision, split, photos: photos.length, searches };
}

function describeRated(rated: readonly RatedCaption[]): SearchEvaluation["confidence"] {
  const of = (what: keyof RatedCaption) => rated.map((caption) => caption[what]);
  const correlation = spearman(of("confidence"), of("cider"));
  return { spearman: Number.isNaN(correlation) ? null : correlation, tenths: byTenths(rated) };
}

function trainingCaptions(photos: readonly PreparedPhoto[]): Set<string> {
  const training = photos.filter((photo) => photo.split === "train");
  return new Set(training.flatMap(({ captions }) => captions.map(({ words }) => words.join(" "))));
}

function* captionLines(
  photos: readonly PreparedPhoto[],
  captions: ReadonlyMap<SearchName, readonly Caption[]>,
): Generator<string> {
  for (const [index, { id, file, captions: references }] of photos.entries()) {
    const of = (what: keyof Caption) =>
      Object.fromEntries([...captions].map(([search, list]) => [search, list[index]?.[what]]));
    const texts = references.map(({ text }) => text);
    yield `${JSON.stringify({ id, file, ...of("caption"), confidence: of("confidence"), references: texts })}\n`;
  }
}
