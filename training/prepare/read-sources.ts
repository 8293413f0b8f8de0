import { relative, resolve } from "node:path";
import { digestFile } from "../../files/regular-file.ts";
import { invocationFolder } from "../../terminal/command-line.ts";
import type { Dataset, DatasetPhoto } from "../dataset.ts";
import { type DataSource, nameSources } from "../dataset.ts";
import { chosenFile, readChosen, sentences } from "../sentences.ts";
import { stageFolder, type TrainRequest } from "../stage.ts";
import { readDataset } from "./read-dataset.ts";

/** Reads all data into one data set, whose folder is that of the first. Does not open photos. */
export async function readSources(request: TrainRequest): Promise<Dataset> {
  const { data, settings } = request;
  const images = [...settings.images, invocationFolder()];
  const datasets: Dataset[] = [];
  for (const { path, ...source } of data) datasets.push(assign(await readDataset({ path, images }), source));
  const names = nameSources(data);
  if (sentences.isWanted?.(request)) {
    datasets.push(await readSentences(request));
    names.push("sentences");
  }
  const [first, second] = datasets;
  if (first === undefined) throw new Error("expected captioned photos or photos with words, received none");
  return second === undefined
    ? first
    : join(
        datasets.map((dataset, index) => nameIt(dataset, names[index] ?? "")),
        first.folder,
      );
}

/** Applies the command line's options to a data set's photos. */
function assign(dataset: Dataset, { weight, isDev }: Omit<DataSource, "path">): Dataset {
  const photos = dataset.photos.map((photo): DatasetPhoto => {
    if (isDev) return { ...photo, splits: ["dev"] };
    return {
      ...photo,
      ...(weight === 1 ? {} : { weight }),
      ...(dataset.hasSplits ? {} : { needsSplit: true }),
    };
  });
  return { ...dataset, photos, hasSplits: dataset.hasSplits || isDev };
}

/** Reads the sentences that the stage `sentences` chose, as captions of lower weight. */
async function readSentences(request: TrainRequest): Promise<Dataset> {
  const folder = stageFolder(request, "sentences");
  const { sha256 } = await digestFile(resolve(folder, chosenFile));
  const { sentenceWeight: weight } = request.settings;
  const photos = (await readChosen(request)).map(
    ({ image, captions }): DatasetPhoto => ({
      ...{ id: image, file: image, captions, weight },
      hasPseudoCaptions: true,
      splits: ["train"],
    }),
  );
  const findings = { duplicated: [], withoutCaptions: [] };
  return { folder, sources: { [chosenFile]: sha256 }, photos, hasSplits: true, findings };
}

/** Prefixes photos and files with their data set's name, to distinguish them among several. */
function nameIt(dataset: Dataset, name: string): Dataset {
  const { sources, photos, findings } = dataset;
  const prefix = (text: string) => `${name}/${text}`;
  return {
    ...dataset,
    sources: Object.fromEntries(Object.entries(sources).map(([file, sha256]) => [prefix(file), sha256])),
    photos: photos.map((photo) => ({ ...photo, id: prefix(photo.id), dataset: name })),
    findings: {
      duplicated: findings.duplicated.map(prefix),
      withoutCaptions: findings.withoutCaptions.map(prefix),
    },
  };
}

function join(datasets: readonly Dataset[], folder: string): Dataset {
  return {
    folder,
    sources: Object.assign({}, ...datasets.map(({ sources }) => sources)),
    photos: datasets.flatMap((dataset) =>
      dataset.photos.map((photo) => ({ ...photo, file: relative(folder, resolve(dataset.folder, photo.file)) })),
    ),
    hasSplits: datasets.every(({ hasSplits }) => hasSplits),
    findings: {
      duplicated: datasets.flatMap(({ findings }) => findings.duplicated),
      withoutCaptions: datasets.flatMap(({ findings }) => findings.withoutCaptions),
    },
  };
}
