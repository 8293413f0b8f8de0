import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { beginRun, isUpToDate, runStages } from "../../training/run-stages.ts";
import { defaultSettings } from "../../training/settings.ts";
import type { Need, Stage, StageName, TrainRequest } from "../../training/stage.ts";
import { copyTinyBundle, temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { listen } from "./run-prepare.ts";

/** A stage that writes the seed and says its name in `ran`. */
function stageOf(name: StageName, ran: StageName[], needs: readonly Need[] = []): Stage {
  return {
    name,
    about: name,
    needs,
    dependencies: async ({ settings: { seed } }) => ({ settings: { seed }, inputs: {} }),
    async run({ settings: { seed }, save }) {
      ran.push(name);
      await save({ files: { "made.txt": [`${name} ${seed}`] } });
    },
  };
}

async function requestOf(settings: Partial<TrainRequest["settings"]> = {}): Promise<TrainRequest> {
  return { data: [], out: await temporaryFolder(), settings: { ...defaultSettings, ...settings } };
}

function withSeed(request: TrainRequest, seed: number): TrainRequest {
  return { ...request, settings: { ...request.settings, seed } };
}

test("a stage's record has the digests of the files that it needs, and another digest makes it run again", async () => {
  const ran: StageName[] = [];
  const prepare = stageOf("prepare", ran);
  const fit = stageOf("fit", ran, [{ stage: prepare, files: { captions: "made.txt" } }]);
  const request = await requestOf();
  listen();
  await runStages([prepare, fit], request);
  const outputs = JSON.parse(await readFile(join(request.out, "prepare/settings.json"), "utf8")).outputs;
  const { inputs } = JSON.parse(await readFile(join(request.out, "fit/settings.json"), "utf8"));
  expect(inputs).toEqual({ captions: outputs["made.txt"].sha256 });
  expect(await isUpToDate(fit, beginRun(request))).toBe(true);
  await runStages([prepare], withSeed(request, 2));
  expect(await isUpToDate(fit, beginRun(request))).toBe(false);
  expect(ran).toEqual(["prepare", "fit", "prepare"]);
});

test("a stage says which one comes first, unless the settings do not ask for that one", async () => {
  const sentences: Stage = { ...stageOf("sentences", []), isWanted: ({ settings }) => settings.words.length > 0 };
  const prepare = stageOf("prepare", [], [{ stage: sentences, files: {} }]);
  const request = await requestOf();
  await runStages([prepare], request);
  const wanted = { ...request, settings: { ...request.settings, words: ["words.jsonl"] } };
  await expect(runStages([prepare], wanted)).rejects.toThrow(
    `${join(request.out, "sentences")}: expected what sentences writes, found none or part of it: run the stage sentences first`,
  );
});

test("what was made with other settings is made anew or refused, as the stage that needs it says", async () => {
  const ran: StageName[] = [];
  const fit = stageOf("fit", ran);
  const quantize = stageOf("quantize", ran);
  const exported = stageOf("export", ran, [
    { stage: fit, files: { decoder: "made.txt" }, ifStale: { refuseAs: "another decoder" } },
    { stage: quantize, files: { ranges: "made.txt" }, ifStale: "remake" },
  ]);
  const request = await requestOf();
  listen();
  await runStages([fit, exported], request);
  expect(ran).toEqual(["fit", "quantize", "export"]);
  await expect(runStages([exported], withSeed(request, 2))).rejects.toThrow(
    "expected what fit makes with these flags, found another decoder: run the stage fit first",
  );
  await runStages([fit, exported], withSeed(request, 2));
  expect(ran.slice(3)).toEqual(["fit", "quantize", "export"]);
});

test("a bundle is opened once a run, whatever it is used for", async () => {
  const from = await copyTinyBundle();
  const { bundles } = beginRun(await requestOf({ from, bundle: from }));
  const source = await bundles.source();
  await writeFile(join(from, "manifest.json"), "damaged");
  expect(await bundles.from()).toBe(source);
  expect(await bundles.evaluated()).toBe(source);
  const plain = beginRun(await requestOf({ encoder: tinyBundle }));
  expect(await plain.bundles.from()).toBeUndefined();
});
