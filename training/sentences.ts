import { join, relative } from "node:path";
import { setImmediate } from "node:timers/promises";
import * as z from "zod";
import { readLines } from "../files/read-lines.ts";
import { digestFile } from "../files/regular-file.ts";
import { type Cleaning, cleanCaption } from "../shared/clean-caption.ts";
import { say, showProgress } from "../terminal/progress.ts";
import { readKeywords } from "./sentences/read-keywords.ts";
import { knownWordsBeside, type LabelledPhotos, readWords } from "./sentences/read-words.ts";
import { type Sentence, SentenceIndex } from "./sentences/sentence-index.ts";
import { type Stage, stageFolder, type TrainContext, type TrainRequest } from "./stage.ts";
import type { Dependencies } from "./stage-record.ts";

/** `chosenSchema`, one photo per line. */
export const chosenFile = "captions.jsonl";

/** A photo with the sentences that were chosen for it, best first. */
const chosenSchema = z.strictObject({
  /** Path relative to this file's folder. */
  image: z.string(),
  /** Words that the sentences were chosen by, with their probabilities. */
  words: z.record(z.string(), z.number()),
  captions: z.array(z.string()).min(1),
  /** Two scores for each of `captions`: how well it fits the words, and its mean cosine to the other candidates. */
  scores: z.array(z.tuple([z.number(), z.number()])),
});

export type ChosenPhoto = z.infer<typeof chosenSchema>;

const sentencesAPhoto = 5;

/** Photos after which signals and timers get their turn. */
const photosAtOnce = 50;

/** Maximum number of words printed that the text never uses. */
const wordsNamed = 10;

/**
 * Reads sentences of `--text`, photos with words of `--words` and with keywords of `--keywords`. Writes into
 * `sentences/`: `captions.jsonl`, for each photo the sentences of the text that fit its words best and agree with each
 * other.
 */
export const sentences: Stage = {
  name: "sentences",
  about: "chooses sentences of --text for photos with words or keywords but no captions",

  isWanted: ({ settings: { words, keywords } }) => words.length + keywords.length > 0,

  isAlwaysRun: ({ settings: { keywords } }) => keywords.length > 0, // finding out which photos have which would take as long

  needs: [],
  dependencies: dependenciesOf,

  async run({ settings, folder, save }) {
    const text = await readSentences(settings);
    const labelled = [
      ...(await Promise.all(settings.words.map(readWords))),
      ...(await inTurn(settings.keywords, readKeywords)),
    ];
    const chosen: ChosenPhoto[] = [];
    for (const some of labelled) chosen.push(...(await chooseFor(some, { text, folder })));
    if (chosen.length === 0)
      throw new Error("expected sentences that contain at least one of the photos' words, found none in --text");
    await save({ files: { [chosenFile]: chosen.map((photo) => `${JSON.stringify(photo)}\n`) } });
  },
};

/** Reads what the stage wrote. */
export async function readChosen(request: Pick<TrainRequest, "out">): Promise<ChosenPhoto[]> {
  const photos: ChosenPhoto[] = [];
  const path = join(stageFolder(request, "sentences"), chosenFile);
  for await (const { text } of readLines(path)) photos.push(chosenSchema.parse(JSON.parse(text)));
  return photos;
}

/** Reads the sentences of all texts, one per line. */
async function readSentences({ text, cleaning }: { text: readonly string[]; cleaning: Cleaning }): Promise<Sentence[]> {
  const found: Sentence[] = [];
  for (const path of text) {
    const before = found.length;
    for await (const line of readLines(path))
      found.push({ text: line.text.trim(), words: cleanCaption(line.text, cleaning) });
    if (found.length === before) throw new Error(`${path}: expected sentences, one a line, found none`);
  }
  return found;
}

async function chooseFor(
  { photos, known }: LabelledPhotos,
  { text, folder }: { text: readonly Sentence[]; folder: string },
): Promise<ChosenPhoto[]> {
  const index = new SentenceIndex(text, known);
  const unsaid = new Map<string, number>();
  const chosen: ChosenPhoto[] = [];
  const progress = showProgress("sentences", { total: photos.length, unit: "photos" });
  try {
    for (const [number, { file, words }] of photos.entries()) {
      const said = new Map([...words].filter(([word]) => index.has(word)));
      for (const word of words.keys()) if (!said.has(word)) unsaid.set(word, (unsaid.get(word) ?? 0) + 1);
      const best = said.size === 0 ? [] : index.choose(said, sentencesAPhoto);
      if (best.length > 0) {
        chosen.push({
          image: relative(folder, file),
          words: Object.fromEntries(words),
          captions: best.map(({ sentence }) => index.sentences[sentence]?.text ?? ""),
          scores: best.map(({ score, agreement }) => [round(score), round(agreement)]),
        });
      }
      progress.advance();
      if (number % photosAtOnce === 0) await setImmediate();
    }
  } finally {
    progress.end();
  }
  describe({ photos: photos.length, chosen: chosen.length, unsaid });
  return chosen;
}

function describe({
  photos,
  chosen,
  unsaid,
}: {
  photos: number;
  chosen: number;
  unsaid: ReadonlyMap<string, number>;
}): void {
  say(`sentences: chosen for ${count(chosen, "photo")}, ${sentencesAPhoto} each at most`);
  if (chosen < photos)
    say(
      `sentences: ${count(photos - chosen, "photo")} ${photos - chosen === 1 ? "is left out: the text says none of its words" : "are left out: the text says none of their words"}`,
    );
  if (unsaid.size === 0) return;
  const commonest = [...unsaid].toSorted(([, one], [, other]) => other - one).slice(0, wordsNamed);
  const more = unsaid.size - commonest.length;
  const names = commonest.map(([word, times]) => `${word} (${count(times, "photo")})`).join(", ");
  say(
    `sentences: ${count(unsaid.size, "word")} that the text never says: ${names}${more > 0 ? ` and ${more} more` : ""}`,
  );
}

async function dependenciesOf({ settings }: TrainContext): Promise<Dependencies> {
  const { text, words, keywords, cleaning } = settings;
  const files = [...text, ...words, ...knownWordsBeside(words)];
  const digests = await Promise.all(files.map(async (path) => [path, (await digestFile(path)).sha256] as const));
  return { settings: { cleaning }, inputs: { ...Object.fromEntries(digests), keywords: keywords.join("\n") } };
}

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? "" : "s"}`;
}

function round(value: number): number {
  return Math.round(1000 * value) / 1000;
}
