import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bundle, openBundle } from "../../captioner/bundle.ts";
import { readLines } from "../../files/read-lines.ts";
import { digestFile } from "../../files/regular-file.ts";
import type { Split } from "../dataset.ts";
import { type Evaluation, evaluationSchema } from "../evaluate/evaluate-captions.ts";
import { evaluatedFiles } from "../evaluate.ts";
import { type EpochMetrics, epochMetricsSchema } from "../fit/metrics.ts";
import { fitFiles } from "../fit.ts";
import { type Prepared, readPrepared } from "../prepared.ts";
import { prepareReferences, scoreAgainst } from "../score/score-captions.ts";
import { stageFolder, type TrainContext } from "../stage.ts";
import { captionedPhotoSchema, type RatedPhoto } from "./captioned-photo.ts";

/** The data that a report shows. */
export interface ReportInput {
  bundle: Bundle;
  split: Split;
  prepared: Prepared;
  evaluation: Evaluation;
  /** Rated photos of the split and the first data set. */
  photos: readonly RatedPhoto[];
  /** Epochs of the training that made the bundle; undefined if it was not trained in this output folder. */
  epochs: readonly EpochMetrics[] | undefined;
}

/** Reads what the earlier stages wrote. The caller has made sure that it belongs together. */
export async function readReportInput(context: TrainContext): Promise<ReportInput> {
  const folder = stageFolder(context, "evaluate");
  const bundle = await openBundle(context.settings.bundle);
  const trainedAs = await metricsPath(context, bundle);
  const evaluation = evaluationSchema.parse(JSON.parse(await readFile(join(folder, evaluatedFiles.scores), "utf8")));
  const captioned = await readParsedLines(join(folder, evaluatedFiles.captions), captionedPhotoSchema);
  return {
    bundle,
    split: context.settings.split,
    prepared: await readPrepared(context),
    evaluation,
    photos: ratePhotos(captioned.filter(({ dataset }) => dataset === evaluation.dataset)),
    epochs: trainedAs === undefined ? undefined : await readParsedLines(trainedAs, epochMetricsSchema),
  };
}

/**
 * Path of `fit`'s metrics of the bundle's decoder. Undefined if there are none, or if `fit` made another decoder: its
 * curves would be taken for the bundle's.
 */
export async function metricsPath(context: TrainContext, { manifest }: Bundle): Promise<string | undefined> {
  const folder = stageFolder(context, "fit");
  try {
    const { sha256 } = await digestFile(join(folder, fitFiles.weights));
    const path = join(folder, fitFiles.metrics);
    await digestFile(path);
    return manifest.files.some((file) => file.sha256 === sha256) ? path : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function readParsedLines<Item>(path: string, schema: { parse(json: unknown): Item }): Promise<Item[]> {
  const items: Item[] = [];
  for await (const { text } of readLines(path)) items.push(schema.parse(JSON.parse(text)));
  return items;
}

function ratePhotos(photos: readonly Omit<RatedPhoto, "cider" | "rougeL">[]): RatedPhoto[] {
  const references = prepareReferences(new Map(photos.map((photo) => [photo.id, photo.references])));
  const scoresOf = (search: "greedy" | "beam 3") =>
    scoreAgainst(references, new Map(photos.map((photo) => [photo.id, photo[search]]))).perPhoto;
  const [greedy, beam] = [scoresOf("greedy"), scoresOf("beam 3")];
  return photos.map((photo) => ({
    ...photo,
    cider: { greedy: greedy.get(photo.id)?.cider ?? 0, "beam 3": beam.get(photo.id)?.cider ?? 0 },
    rougeL: beam.get(photo.id)?.rougeL ?? 0,
  }));
}
