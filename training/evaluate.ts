import { resolve } from "node:path";
import { type Bundle, openBundle } from "../gpu-service/bundle.ts";
import { type EngineProcess, startEngineProcess } from "../gpu-service/engine-process.ts";
import { describeEvaluation, type Evaluation } from "./describe-evaluation.ts";
import { encodePhotos, type PhotoToEncode } from "./encode-photos.ts";
import { type PreparedPhoto, readPrepared } from "./prepared.ts";
import { say, showProgress } from "./progress.ts";
import { prepareReferences, scoreAgainst } from "./score/score-captions.ts";
import { type Stage, stageFolder, type TrainContext } from "./stage.ts";
import { type Dependencies, isRecorded, writeOutputs } from "./stage-record.ts";

/** Beams of the searches that are scored; 1 is greedy. */
const beams = [1, 3, 5];

/**
 * In: `prepare`'s captions, the photos, a bundle. Out, into `evaluate/`: `scores.json`, an entry a search, as fractions;
 * `captions.jsonl`, a photo a line, with its file, its references and the caption of each search.
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
      const evaluation = evaluateCaptions(photos, { captions, bundle, split });
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
  const { summary } = await readPrepared(context);
  return { settings: { split }, inputs: { ...summary.sources, bundle: (await openBundle(bundle)).revision } };
}

/** Captions of the photos, in their order, by beam. */
async function captionAll(
  files: readonly PhotoToEncode[],
  { engine, bundle }: { engine: EngineProcess; bundle: Bundle },
): Promise<Map<number, string[]>> {
  const captions = new Map(beams.map((beam): [number, string[]] => [beam, []]));
  const { preprocessing } = bundle.manifest;
  const progress = showProgress("evaluate", { total: files.length, unit: "photos" });
  try {
    for await (const { features, photos } of encodePhotos(files, { engine, preprocessing, leaveOut: refuse })) {
      for (const [beam, found] of captions) {
        const options = photos.map(() => ({ beam, candidates: 1 }));
        const best = (await engine.search(features, options)).flat();
        found.push(...best.map(({ words }) => bundle.vocabulary.decode(words)));
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

function evaluateCaptions(
  photos: readonly PreparedPhoto[],
  { captions, bundle, split }: { captions: ReadonlyMap<number, string[]>; bundle: Bundle; split: string },
): Evaluation {
  const references = prepareReferences(
    new Map(photos.map(({ id, captions: own }) => [id, own.map(({ text }) => text)])),
  );
  const searches = [...captions].map(([beam, list]) => {
    const { perPhoto: _, ...scores } = scoreAgainst(
      references,
      new Map(photos.map(({ id }, index) => [id, list[index] ?? ""])),
    );
    const words = new Set(list.flatMap((caption) => caption.split(" ")));
    return {
      search: beam === 1 ? "greedy" : `beam ${beam}`,
      ...scores,
      captions: new Set(list).size,
      words: words.size,
    };
  });
  return { model: bundle.manifest.id, revision: bundle.revision, split, photos: photos.length, searches };
}

function* captionLines(photos: readonly PreparedPhoto[], captions: ReadonlyMap<number, string[]>): Generator<string> {
  for (const [index, { id, file, captions: references }] of photos.entries()) {
    const found = Object.fromEntries([...captions].map(([beam, list]) => [`beam${beam}`, list[index]]));
    yield `${JSON.stringify({ id, file, ...found, references: references.map(({ text }) => text) })}\n`;
  }
}
