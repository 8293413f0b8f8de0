import type { Vocabulary } from "../shared/vocabulary.ts";
import { say } from "../terminal/progress.ts";
import { choosePhotos, statPhotos } from "./prepare/choose-photos.ts";
import { cleaningVersions, cleanPhotos } from "./prepare/clean-photos.ts";
import { describeDropped, describeFindings, describeSummary } from "./prepare/describe-summary.ts";
import { learnVocabulary } from "./prepare/learn-vocabulary.ts";
import { readSources } from "./prepare/read-sources.ts";
import { preparedFiles } from "./prepared.ts";
import { sentences } from "./sentences.ts";
import type { Stage, TrainContext } from "./stage.ts";
import type { Dependencies } from "./stage-record.ts";
import { describeWordVectors, readWordVectors } from "./word-vectors.ts";

/**
 * Reads captions, splits and photos of `--data`. Writes into `prepare/`, with the schemas of `prepared.ts`:
 * `vocabulary.json` (ids from 1, 0 is padding), `captions.jsonl` (one photo per line, with its split and cleaned
 * captions), `summary.json`.
 */
export const prepare: Stage = {
  name: "prepare",
  about: "reads captions, splits and photos; cleans the captions and builds the vocabulary",

  needs: [{ stage: sentences, files: {} }], // its digest is recorded with the data's
  dependencies: dependenciesOf,

  async run(context) {
    const known = await knownVocabulary(context);
    const dataset = await readSources(context);
    const { missing } = await statPhotos(dataset);
    const { photos, findings: odd } = await choosePhotos(dataset, { missing });
    const { prepared, dropped, wordless } = cleanPhotos(photos, context.settings.cleaning);
    const findings = { ...odd, wordless };
    for (const line of [...describeFindings(findings), ...describeDropped(dropped)]) say(line);
    const { vocabulary, figures } = learnVocabulary(dataset, { prepared, known, ...context.settings });
    const { hasSplits, sources } = dataset;
    const summary = { ...figures, dropped, hasSplits, findings, sources };
    await context.save({
      files: {
        [preparedFiles.vocabulary]: [`${JSON.stringify(vocabulary.words)}\n`],
        [preparedFiles.captions]: jsonLines(prepared),
        [preparedFiles.summary]: [`${JSON.stringify(summary, null, 2)}\n`],
      },
    });
    process.stdout.write(describeSummary(summary));
    const { wordVectors } = context.settings;
    if (wordVectors !== undefined) say(describeWordVectors(await readWordVectors(wordVectors, vocabulary.words)));
  },
};

async function dependenciesOf(context: TrainContext): Promise<Dependencies> {
  const { cleaning, minCount } = context.settings;
  const dataset = await readSources(context);
  const { digest } = await statPhotos(dataset);
  const from = await context.bundles.from();
  const inherited = from === undefined ? {} : { from: from.revision };
  const settings = { cleaning, cleaningVersion: cleaningVersions[cleaning], minCount: minCount ?? "by size" };
  return { settings, inputs: { ...dataset.sources, ...inherited, photos: digest } };
}

/** Returns the words of the bundle that training continues from, if any. */
async function knownVocabulary({ settings, bundles }: TrainContext): Promise<Vocabulary | undefined> {
  const from = await bundles.from();
  if (from === undefined) return undefined;
  const { folder, manifest, vocabulary } = from;
  if (manifest.cleaning === settings.cleaning) return vocabulary;
  throw new Error(`${folder}: its captions were cleaned differently: use --cleaning ${manifest.cleaning}`);
}

function* jsonLines(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield `${JSON.stringify(value)}\n`;
}
