import { expect, test } from "vitest";
import { fineTuneRecipe } from "../../../training/fit/fine-tune.ts";
import { chooseRecipe, recipes } from "../../../training/fit/presets.ts";
import { epochsOf, isPatienceOver, learningRateAt } from "../../../training/fit/recipe.ts";

const size = { trainingPhotos: 6000, trainingCaptions: 25_000, devPhotos: 1000 };

test("the tutorial's schedule: 20 epochs of 3 photos at 1e-3, then 10 of 6 photos at 1e-4, nothing else", () => {
  const epochs = epochsOf(recipes.tutorial);
  const said = epochs.map((epoch) => [epoch.phase.batch, learningRateAt(epoch, { step: 7, steps: 2000 })]);
  expect(said).toEqual([...new Array(20).fill([{ photos: 3 }, 1e-3]), ...new Array(10).fill([{ photos: 6 }, 1e-4])]);
  expect(recipes.tutorial).toMatchObject({ labelSmoothing: 0, keeps: "last epoch" });
  expect(recipes.tutorial).not.toHaveProperty("averageDecay");
});

test("a cosine schedule rises over the first epoch, then falls to nothing", () => {
  const recipe = chooseRecipe({ epochs: 10, learningRate: 0.01 }, size);
  const rates = epochsOf(recipe).flatMap((epoch) =>
    Array.from({ length: 50 }, (_, step) => learningRateAt(epoch, { step, steps: 50 })),
  );
  expect(rates[0]).toBeCloseTo(0.01 / 50, 5);
  expect(Math.max(...rates)).toBeLessThan(0.01);
  expect(rates.indexOf(Math.max(...rates))).toBe(49);
  for (let step = 50; step < rates.length; step++) expect(rates[step]).toBeLessThan(rates[step - 1] ?? 0);
  expect(rates.at(-1)).toBeLessThan(1e-6);
});

test("a preset is chosen by name, or by whether training goes on from a bundle; flags stand in its phases' place", () => {
  expect(chooseRecipe({}, size)).toEqual(recipes.default);
  expect(chooseRecipe({ from: "a" }, size)).toEqual(fineTuneRecipe(size));
  expect(chooseRecipe({ from: "a", preset: "default" }, size)).toEqual(recipes.default);
  expect(chooseRecipe({ preset: "tutorial", epochs: 2, batch: 9 }, size).phases).toEqual([
    { epochs: 2, batch: { captions: 9 }, learningRate: 1e-3, schedule: "constant" },
  ]);
});

test.each([
  [1000, 24],
  [60_000, 10],
  [600_000, 6],
])("the default preset goes through %i captions %i times before it draws its own", (trainingCaptions, epochs) => {
  const { phases } = chooseRecipe({}, { ...size, trainingCaptions });
  expect(phases.map((phase) => phase.epochs)).toEqual([epochs, 12]);
});

test("fine-tuning on few photos has steps enough, does without rewards, and lets no handful of dev photos choose", () => {
  const few = fineTuneRecipe({ trainingPhotos: 27, devPhotos: 3 });
  const steps = few.phases.map(({ epochs, batch }) => ("steps" in batch ? epochs * (batch.steps ?? 0) : 0));
  expect(steps).toEqual([expect.toSatisfy((count: number) => count >= 100)]);
  expect(few.phases.every(({ rehearsal }) => rehearsal !== undefined)).toBe(true);
  expect(few.keeps).toBe("last epoch");
  expect(fineTuneRecipe({ trainingPhotos: 300, devPhotos: 128 }).keeps).toBe("last epoch"); // dev may be of other data
  expect(fineTuneRecipe(size).keeps).toBe("best epoch");
  const phases = fineTuneRecipe(size).phases.map(({ batch }) => "samples" in batch);
  expect(phases).toEqual([false, true]);
});

test.each([
  [[], 2, false],
  [[0.1, 0.3, 0.2], 2, false],
  [[0.1, 0.3, 0.2, 0.2], 2, true],
  [[0, 0, 0, 0], 2, false], // without dev photos all are alike
  [[0.3, 0.1, 0.1, 0.1], undefined, false],
])("patience with %j and %s epochs is over: %s", (scores, patience, expected) => {
  expect(isPatienceOver(scores, patience)).toBe(expected);
});
