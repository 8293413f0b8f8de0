import { searchCaptions } from "../captioner/beam-search.ts";
import { rowsOf } from "../captioner/vectors.ts";
import { type Bench, timeInTurns } from "./bench.ts";
import { benchInputs } from "./inputs.ts";
import { createPrefixDecoder } from "./prefix-decoder.ts";
import { tutorialSearch, tutorialSettings } from "./tutorial-search.ts";

export const prefixSearch: Bench = {
  name: "prefix-search",
  about: "the tutorial's greedy search ÷ ours over a batch of 64, time a photo, same engine and captions; at least 20",
  async run() {
    const { bundle, engine, photos } = await benchInputs(64);
    const { manifest } = bundle;
    const prefixDecoder = await createPrefixDecoder(bundle);
    const features = await engine.encode(Buffer.concat(photos), photos.length);
    const rows = rowsOf(features, photos.length);
    const options = photos.map(() => ({ beam: 1, candidates: 1 }));
    const settings = tutorialSettings(manifest);
    let found: string[] = [];
    let expected: string[] = [];
    const { oursMs, peerMs } = await timeInTurns(9, {
      async ours() {
        const captions = await searchCaptions(engine, { features, options }, settings);
        found = captions.map(([caption]) => caption?.words.join(" ") ?? "");
      },
      async peer() {
        expected = [];
        for (const row of rows) expected.push((await tutorialSearch(prefixDecoder.nextWord, row, manifest)).join(" "));
      },
    });
    await engine.close();
    const differing = found.filter((caption, index) => caption !== expected[index]).length;
    if (differing > 0) throw new Error(`${differing} of ${found.length} captions differ between the two searches`);
    return {
      number: peerMs / oursMs,
      ours: `${(oursMs / photos.length).toFixed(3)} ms a photo`,
      peer: `${(peerMs / photos.length).toFixed(3)} ms a photo`,
    };
  },
};
