import * as z from "zod";
import { type BleuCounts, type BleuReferences, bleuOf, countMatches, prepareBleu, sumCounts } from "./bleu.ts";
import { type CiderVector, ciderOf, countDocuments, type DocumentFrequencies, weighNgrams } from "./cider.ts";
import { countNgrams } from "./ngrams.ts";
import { scoredTokens, splitAtSpaces } from "./ptb-tokenize.ts";
import { rougeLOf } from "./rouge-l.ts";

/** Scores as the COCO caption scorer computes them, as fractions: all in [0, 1] except CIDEr, which goes up to 10. */
export const captionScoresSchema = z.strictObject({
  bleu1: z.number(),
  bleu2: z.number(),
  bleu3: z.number(),
  bleu4: z.number(),
  rougeL: z.number(),
  cider: z.number(),
});

export type CaptionScores = z.infer<typeof captionScoresSchema>;

/** Scores of one photo's caption. */
export interface PhotoScores extends CaptionScores {
  /** Its contribution to the BLEU of a corpus. */
  bleuCounts: BleuCounts;
}

export interface CorpusScores extends CaptionScores {
  perPhoto: ReadonlyMap<string, PhotoScores>;
}

interface PhotoReferences {
  bleu: BleuReferences;
  rougeL: readonly (readonly string[])[];
  cider: readonly CiderVector[];
}

/** The references of a split, prepared once for many lists of candidates. */
export interface PreparedReferences {
  photos: ReadonlyMap<string, PhotoReferences>;
  documents: DocumentFrequencies;
}

/**
 * Scores one raw caption per photo against its raw references, as pycocoevalcap 1.2 does: the same tokens and formulas,
 * without its order of photos or Java.
 */
export function scoreCaptions({
  candidates,
  references,
}: {
  candidates: ReadonlyMap<string, string>;
  references: ReadonlyMap<string, readonly string[]>;
}): CorpusScores {
  return scoreAgainst(prepareReferences(references), candidates);
}

/** Prepares the references of photos, by name, for scoring. */
export function prepareReferences(references: ReadonlyMap<string, readonly string[]>): PreparedReferences {
  if (references.size === 0) throw new Error("expected references of at least one photo, received none");
  const tokenized = [...references].map(([photo, captions]) => {
    if (captions.length === 0) throw new Error(`expected at least one reference of photo ${photo}, received none`);
    const tokens = captions.map(scoredTokens);
    const words = tokens.map(splitAtSpaces);
    return { photo, tokens, words, ngrams: words.map(countNgrams) };
  });
  const documents = countDocuments(tokenized.map(({ ngrams }) => ngrams));
  const photos = new Map<string, PhotoReferences>();
  for (const { photo, tokens, words, ngrams } of tokenized) {
    const cider = ngrams.map((ofOne) => weighNgrams(ofOne, documents));
    photos.set(photo, { bleu: prepareBleu(words), rougeL: tokens, cider });
  }
  return { photos, documents };
}

/** Scores candidates for exactly the photos that have references. */
export function scoreAgainst(references: PreparedReferences, candidates: ReadonlyMap<string, string>): CorpusScores {
  refuseOtherPhotos(references, candidates);
  const perPhoto = new Map<string, PhotoScores>();
  for (const [photo, { bleu, rougeL, cider }] of references.photos) {
    const tokens = scoredTokens(candidates.get(photo) ?? "");
    const ngrams = countNgrams(splitAtSpaces(tokens));
    const bleuCounts = countMatches(ngrams, bleu);
    perPhoto.set(photo, {
      ...namedBleu(bleuCounts),
      rougeL: rougeLOf(tokens, rougeL),
      cider: ciderOf(weighNgrams(ngrams, references.documents), cider),
      bleuCounts,
    });
  }
  return { ...joinScores([...perPhoto.values()]), perPhoto };
}

/** Combines photos' scores into those of a corpus: BLEU from the summed counts, the others as means over photos. */
export function joinScores(photos: readonly PhotoScores[]): CaptionScores {
  const meanOf = (score: "rougeL" | "cider") => photos.reduce((sum, scores) => sum + scores[score], 0) / photos.length;
  const bleu = namedBleu(sumCounts(photos.map(({ bleuCounts }) => bleuCounts)));
  return { ...bleu, rougeL: meanOf("rougeL"), cider: meanOf("cider") };
}

function namedBleu(counts: BleuCounts) {
  const [bleu1 = 0, bleu2 = 0, bleu3 = 0, bleu4 = 0] = bleuOf(counts);
  return { bleu1, bleu2, bleu3, bleu4 };
}

function refuseOtherPhotos({ photos }: PreparedReferences, candidates: ReadonlyMap<string, string>): void {
  for (const photo of photos.keys()) {
    if (!candidates.has(photo)) throw new Error(`expected a caption of photo ${photo}, received none`);
  }
  for (const photo of candidates.keys()) {
    if (!photos.has(photo)) throw new Error(`expected references of captioned photo ${photo}, received none`);
  }
}

/** The searches with which a model is scored, with their beams; 1 is greedy search. */
export const searches = { greedy: 1, "beam 3": 3, "beam 5": 5 } as const;

export type SearchName = keyof typeof searches;

export const searchNames = Object.keys(searches) as SearchName[];
