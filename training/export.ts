import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type EncoderBundle, openBundle, sha256Of } from "../captioner/bundle.ts";
import { type Manifest, manifestSchema } from "../shared/manifest.ts";
import { terminalLines, terminalText } from "../shared/terminal-text.ts";
import { say } from "../terminal/progress.ts";
import { encoderFiles, encoderRevision } from "./bundles.ts";
import { detectorFiles } from "./evidence/detector-files.ts";
import { readEvidenceNetwork } from "./evidence/evidence-network.ts";
import { evidence } from "./evidence.ts";
import {
  type BundleParts,
  decoderFiles,
  draftManifest,
  evidenceFiles,
  idOf,
  rangesPath,
} from "./export/draft-manifest.ts";
import { makeRehearsal } from "./export/make-rehearsal.ts";
import { describeModel } from "./export/model-card.ts";
import { featureSummaryFile } from "./features/photo-features.ts";
import { features } from "./features.ts";
import { decoderComparisonSchema, describeComparison, describeNoChange } from "./fit/compare-decoders.ts";
import { readMergeModel } from "./fit/merge-model.ts";
import { chooseRecipe } from "./fit/presets.ts";
import { fit, fitFiles } from "./fit.ts";
import { type ModelFiles, parseModel } from "./layers-format.ts";
import { prepare } from "./prepare.ts";
import { preparedFiles, readPrepared } from "./prepared.ts";
import { quantize, rangesFile } from "./quantize.ts";
import { encodeRehearsal, rehearsalFiles } from "./rehearsal.ts";
import { type Stage, stageFolder, type TrainContext } from "./stage.ts";

/**
 * Reads `fit`'s decoder, `evidence`'s word detectors, `prepare`'s vocabulary, the encoder of a bundle, the ranges that
 * `quantize` measured for it (detectors and ranges are made first if they are missing), and features of the dev and test
 * photos. Writes into `bundle/`: a model
 * bundle with its manifest, provenance and scores, and its model card, `README.md`.
 */
export const exportBundle: Stage = {
  name: "export",
  about: "scores the decoder and writes the model bundle, with its model card",

  needs: [
    { stage: prepare, files: { captions: preparedFiles.captions, vocabulary: preparedFiles.vocabulary } },
    { stage: features, files: { features: featureSummaryFile } },
    { stage: fit, files: { decoder: fitFiles.weights }, ifStale: { refuseAs: "another decoder" } },
    { stage: evidence, files: { detectors: detectorFiles.weights }, ifStale: "remake" },
    { stage: quantize, files: { ranges: rangesFile }, ifStale: "remake" },
  ],

  async dependencies(context) {
    const source = await context.bundles.source();
    return {
      settings: {
        id: idOf(context),
        licence: context.settings.licence ?? source.manifest.licence,
        maxWords: context.settings.maxWords,
        rehearsal: true, // missing from bundles of earlier versions
        evidence: true, // likewise
      },
      inputs: { encoder: await encoderRevision(source) },
    };
  },

  async run(context) {
    const { folder } = context;
    const prepared = await readPrepared(context);
    const source = await context.bundles.source();
    const decoder = await readDecoder(context);
    const { manifest: draft, evidence: guide } = await draftManifest(context, { prepared, source, decoder });
    const files = await bundleFiles(source, { prepared, decoder });
    if (guide !== undefined) {
      files.set(evidenceFiles.topology, Buffer.from(JSON.stringify(guide.topology)));
      files.set(evidenceFiles.weights, guide.weights);
    }
    files.set(rangesPath, await readFile(join(stageFolder(context, "quantize"), rangesFile)));
    const rehearsal = encodeRehearsal(
      await makeRehearsal(context, { prepared, decoder, search: draft.search, evidence: guide }),
    );
    files.set(rehearsalFiles.features, rehearsal.features);
    files.set(rehearsalFiles.captions, rehearsal.captions);
    const sizes = [...files].map(([path, contents]) => ({ path, bytes: contents.length, sha256: sha256Of(contents) }));
    const inOrder = sizes.toSorted((one, other) => (one.path < other.path ? -1 : 1));
    const manifest = manifestSchema.parse({ ...draft, rehearsal: rehearsalFiles, files: inOrder });
    await context.save({
      files: {
        ...Object.fromEntries([...files].map(([path, contents]) => [path, [contents]])),
        "README.md": [
          describeModel(manifest, {
            prepared,
            decoder: readMergeModel(parseModel(decoder)),
            evidence: guide === undefined ? undefined : readEvidenceNetwork(parseModel(guide)),
            recipe: chooseRecipe(context.settings, prepared.summary),
          }),
        ],
        "manifest.json": [`${JSON.stringify(manifest, null, 2)}\n`],
      },
    });
    const exported = await openBundle(folder); // verified as its users will verify it, hashes included
    exported.readEncoder();
    exported.readDecoder();
    exported.readEvidence();
    const line = `${manifest.id}, revision ${exported.revision}, in ${folder}`;
    process.stdout.write(`${terminalText(line)}\n${terminalLines(describeScores(manifest.scores))}`);
    if (context.settings.from !== undefined) await reportComparison(context);
  },
};

async function reportComparison(context: TrainContext): Promise<void> {
  const path = join(stageFolder(context, "fit"), fitFiles.learnt);
  const learnt = decoderComparisonSchema.parse(JSON.parse(await readFile(path, "utf8")));
  process.stdout.write(terminalLines(describeComparison(learnt)));
  const nothing = describeNoChange(learnt);
  if (nothing !== undefined) say(`warning: ${nothing}`);
}

async function readDecoder(context: TrainContext): Promise<ModelFiles> {
  const folder = stageFolder(context, "fit");
  return {
    topology: JSON.parse(await readFile(join(folder, fitFiles.topology), "utf8")),
    weights: await readFile(join(folder, fitFiles.weights)),
  };
}

/** Gathers all files but the manifest and the card, by path. */
async function bundleFiles(
  source: EncoderBundle,
  { prepared, decoder }: Omit<BundleParts, "source">,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>([
    [decoderFiles.topology, Buffer.from(JSON.stringify(decoder.topology))],
    [decoderFiles.weights, decoder.weights],
    [preparedFiles.vocabulary, Buffer.from(JSON.stringify(prepared.vocabulary.words))],
  ]);
  for (const { path } of await encoderFiles(source)) files.set(path, await readFile(join(source.folder, path)));
  return files;
}

function describeScores(scores: Manifest["scores"]): string {
  const lines = scores.map(({ dataset, search, bleu1, bleu4, rougeL, cider }) => {
    const figures = { "BLEU-1": bleu1, "BLEU-4": bleu4, "ROUGE-L": rougeL, CIDEr: cider };
    return `${dataset}, ${search}: ${Object.entries(figures)
      .map(([name, score]) => `${name} ${score.toFixed(1)}`)
      .join(", ")}\n`;
  });
  return lines.join("");
}
