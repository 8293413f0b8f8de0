import type { Prepared } from "../prepared.ts";
import type { CaptionScores } from "../score/score-captions.ts";

/** Times 100. What a paper does not give is absent. */
type PublishedScores = { name: string } & Partial<CaptionScores> & { meteor?: number };

/** On Flickr8k's test split: Tanti et al. 2018, "Where to put the image"; Vinyals et al. 2015; Xu et al. 2015. */
export const publishedScores: readonly PublishedScores[] = [
  {
    name: "merge model, beam 3 (Tanti et al. 2018)",
    ...{ bleu1: 60, bleu2: 41.3, bleu3: 27.3, bleu4: 17.8, meteor: 19.3, rougeL: 44.4, cider: 46.9 },
  },
  { name: "Show and Tell (Vinyals et al. 2015)", bleu1: 63, bleu2: 41, bleu3: 27 },
  {
    name: "Show, Attend and Tell, hard attention (Xu et al. 2015)",
    ...{ bleu1: 67, bleu2: 45.7, bleu3: 31.4, bleu4: 21.3, meteor: 20.3 },
  },
];

/** Whether scores compare with the published ones: they are of Flickr8k's own test split, all of it. */
export function isPublishedTestSplit({ summary }: Pick<Prepared, "summary">, split: string): boolean {
  return split === "test" && summary.hasSplits && summary.photos === 8092 && summary.testPhotos === 1000;
}
