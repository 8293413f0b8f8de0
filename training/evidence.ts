import { resolve } from "node:path";
import { digestFile } from "../files/regular-file.ts";
import { say } from "../terminal/progress.ts";
import { encoderRevision } from "./bundles.ts";
import { chooseConcepts, conceptsOf, type DescribedPhoto } from "./evidence/choose-concepts.ts";
import { type Detectors, encodeDetectors } from "./evidence/detector-files.ts";
import { trainDetectors } from "./evidence/train-detectors.ts";
import { fewestToChooseSearchBy } from "./export/choose-search.ts";
import { featureSummaryFile, readFeatures } from "./features/photo-features.ts";
import { features } from "./features.ts";
import { startBackend } from "./fit/backend.ts";
import { prepare } from "./prepare.ts";
import { type Prepared, preparedFiles, readPrepared } from "./prepared.ts";
import { knownWordsBeside, readWords } from "./sentences/read-words.ts";
import { chosenFile, readChosen, sentences } from "./sentences.ts";
import { type Stage, stageFolder, type TrainContext } from "./stage.ts";

/**
 * A detector of this recall, and one whose labeller has a floor this low for its word, counts as reliable. Both were chosen
 * by CIDEr on `everyday-dev` and Flickr8k's dev.
 */
const recallOfReliable = 0.25;
const floorOfReliable = -2;

const none: Detectors = { concepts: [], kernel: new Float32Array(), bias: new Float32Array() };

/**
 * Reads `prepare`'s captions, `features`' features, and the words by which `sentences` chose. Writes into `evidence/`:
 * `detectors.safetensors`, a linear detector for each concept that the captions name often, and `concepts.jsonl`, what
 * they detect and how well. `export` makes the bundle's word evidence of them: Fang et al. 2015, "From Captions to Visual
 * Concepts and Back", has such detectors guide a language model.
 */
export const evidence: Stage = {
  name: "evidence",
  about: "trains word detectors, which say what a photo shows and guide the search",

  isWanted: ({ settings: { from, preset } }) => from === undefined && preset !== "tutorial",

  needs: [
    { stage: sentences, files: { sentences: chosenFile } },
    { stage: prepare, files: { captions: preparedFiles.captions, vocabulary: preparedFiles.vocabulary } },
    { stage: features, files: { features: featureSummaryFile } },
  ],

  async dependencies({ settings: { flips, seed, words }, bundles }) {
    const labels = await Promise.all(knownWordsBeside(words).map(async (path) => (await digestFile(path)).sha256));
    const encoder = await encoderRevision(await bundles.source());
    return { settings: { flips, seed }, inputs: { encoder, labels: labels.join() } };
  },

  async run(context) {
    const prepared = await readPrepared(context);
    const devPhotos = prepared.photos.filter(({ split }) => split === "dev").length;
    if (devPhotos < fewestToChooseSearchBy) {
      say(`evidence: none: choosing its strength takes ${fewestToChooseSearchBy} dev photos, found ${devPhotos}`);
      return context.save(encodeDetectors(none));
    }
    const training = prepared.photos.filter(({ split }) => split === "train");
    const read = await readFeatures(context, { photos: training, mirrored: context.settings.flips });
    const described = await describe(context, { photos: read.photos, photoFolder: prepared.photoFolder });
    const chosen = chooseConcepts(described, prepared.vocabulary);
    if (chosen.concepts.length === 0) {
      say("evidence: none, since no word is shown by enough photos");
      return context.save(encodeDetectors(none));
    }
    say(`evidence: ${chosen.concepts.length} words are shown by enough photos; on ${await startBackend()}`);
    const isWorded = described.map(({ words }) => words !== undefined);
    const detectors = await trainDetectors({ ...read, ...chosen, isWorded, seed: context.settings.seed });
    const conceptOf = conceptsOf(prepared.vocabulary);
    const reliable = new Set([...(await reliableWords(context.settings))].map((word) => conceptOf.get(word)));
    const concepts = chosen.concepts.map((concept, index) => {
      const recall = Math.round(1000 * (detectors.recall[index] ?? 0)) / 1000;
      return { concept, recall, isReliable: recall >= recallOfReliable || reliable.has(concept) };
    });
    await context.save(encodeDetectors({ ...detectors, concepts }));
  },
};

/** Lists the words that the labellers of `--words` are sure about: what they do not give is not there. */
async function reliableWords({ words }: TrainContext["settings"]): Promise<Set<string>> {
  const labelled = await Promise.all(words.map(readWords));
  const known = labelled.flatMap((own) => [...own.known]);
  return new Set(known.flatMap(([word, { floor }]) => (floor <= floorOfReliable ? [word] : [])));
}

/** Finds out what describes each photo: its captions, or the words by which sentences were chosen for it. */
async function describe(
  context: TrainContext,
  { photos, photoFolder }: Pick<Prepared, "photos" | "photoFolder">,
): Promise<DescribedPhoto[]> {
  const isWithSentences = sentences.isWanted?.(context) !== false;
  const chosen = isWithSentences ? await readChosen(context) : [];
  const folder = stageFolder(context, "sentences");
  const wordsOf = new Map(chosen.map(({ image, words }) => [resolve(folder, image), new Map(Object.entries(words))]));
  return photos.map(({ file, captions, hasPseudoCaptions }) => {
    const words = hasPseudoCaptions ? wordsOf.get(resolve(photoFolder, file)) : undefined;
    return { captions: captions.map((caption) => caption.words), ...(words === undefined ? {} : { words }) };
  });
}
